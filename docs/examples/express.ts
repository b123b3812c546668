import { keepRawBody, toExpressHandler } from '@idemscope/sdk/express'
import express from 'express'
import { createPayment, prepare } from './payments'

await prepare()
const app = express()
// For the other routes. `keepRawBody` lets the SDK compare bodies as they were sent.
app.use(express.json({ verify: keepRawBody }))
app.post('/v1/payments', toExpressHandler(createPayment))
app.listen(Number(process.env.PORT ?? 8080))

import { keepRawBody, toFastifyHandler } from '@idemscope/sdk/fastify'
import { fastify } from 'fastify'
import { createPayment, prepare } from './payments'

await prepare()
const app = fastify()
// Lets the SDK compare bodies as they were sent.
app.addHook('preParsing', keepRawBody)
app.post('/v1/payments', toFastifyHandler(createPayment))
await app.listen({ port: Number(process.env.PORT ?? 8080) })

import { serve } from '@hono/node-server'
import { toHonoHandler } from '@idemscope/sdk/hono'
import { Hono } from 'hono'
import { createPayment, prepare } from './payments'

await prepare()
const app = new Hono()
app.post('/v1/payments', toHonoHandler(createPayment))
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8080) })

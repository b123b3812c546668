import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { createPayment, prepare } from './payments'

await prepare()
const app = new Hono()
app.post('/v1/payments', (c) => createPayment(c.req.raw))
serve({ fetch: app.fetch, port: Number(process.env.PORT ?? 8080) })

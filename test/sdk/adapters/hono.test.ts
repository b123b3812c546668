import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { compress } from 'hono/compress'
import { toHonoHandler } from '@/sdk/adapters/hono'
import { KEY_SECRET } from '../support'
import { closeServer, errorBody, listenOn } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

/** As validators do it. */
async function readBody({ req }: Context): Promise<unknown> {
  const type = req.header('content-type') ?? ''
  if (req.header('content-encoding') !== undefined) return req.blob()
  if (type.includes('json')) return req.json()
  if (type.includes('form')) return req.parseBody()
  return type.startsWith('text/') ? req.text() : req.arrayBuffer()
}

describeAdapter('Hono', {
  async start(mounting, { fixture, control }) {
    const app = new Hono()
    app.use(compress())
    app.use(async (c, next) => {
      await next()
      c.res.headers.set('x-late', 'yes')
    })
    if (mounting === 'parsed')
      app.use(async (c, next) => {
        await readBody(c)
        await next()
      })
    app.onError((error, c) => c.json(errorBody(error), 500))
    const options = { store: fixture.store, keySecret: KEY_SECRET }
    app.all('/v1/payments', toHonoHandler(createPayments<Context>(options, control.url)))
    const server = createAdaptorServer({ fetch: app.fetch }) as Server
    return { url: await listenOn(server), close: () => closeServer(server) }
  },
  bodies: { plain: {}, parsed: {} },
  usual: 'parsed',
  errors: 'handler',
  streams: true,
  compresses: true,
  addsLate: true,
})

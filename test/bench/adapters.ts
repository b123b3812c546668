import { randomUUID } from 'node:crypto'
import { Agent, createServer, type RequestListener, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import express from 'express'
import { type FastifyInstance, fastify } from 'fastify'
import Koa from 'koa'
import pg from 'pg'
import { toExpressHandler } from '@/sdk/adapters/express'
import { toFastifyHandler } from '@/sdk/adapters/fastify'
import { toKoaMiddleware } from '@/sdk/adapters/koa'
import { idempotent } from '@/sdk/idempotent'
import { toNodeHandler } from '@/sdk/node'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { withCluster } from './cluster'
import { against, type Bench, quantile } from './report'

const RATIO_MIN = 0.9
const ROUNDS = 7
const REQUESTS_DEFAULT = 600
const CONNECTIONS = 8
const BODY = JSON.stringify({ amount: 1050, currency: 'USD' })

type Handler = (request: Request, extra?: unknown) => Promise<Response>

type Sides = { adapted: RequestListener; bare: RequestListener }

/** Each framework with its adapter, and with the SDK's handler beside it on the sockets: what differs is the adapter. */
const FRAMEWORKS: Record<string, (handler: Handler) => Promise<Sides>> = {
  Express: async (handler) => {
    const serve = (mounted: ReturnType<typeof toNodeHandler>) => {
      const app = express()
      app.use('/v1/payments', mounted)
      return app as unknown as RequestListener
    }
    const adapted = toExpressHandler(handler)
    return {
      adapted: serve((incoming, outgoing) => adapted(incoming, outgoing, () => undefined)),
      bare: serve(toNodeHandler(handler)),
    }
  },
  Koa: async (handler) => {
    const bare = toNodeHandler(handler)
    return {
      adapted: new Koa().use(toKoaMiddleware(handler)).callback(),
      bare: new Koa()
        .use((context) => {
          Object.assign(context, { respond: false })
          return bare(context.req, context.res)
        })
        .callback(),
    }
  },
  Fastify: async (handler) => {
    const bare = toNodeHandler(handler)
    const serve = async (mount: (app: FastifyInstance) => void) => {
      const app = fastify()
      app.removeAllContentTypeParsers()
      app.addContentTypeParser('*', (_request, _payload, done) => done(null))
      mount(app)
      await app.ready()
      return (...[incoming, outgoing]: Parameters<RequestListener>) => app.routing(incoming, outgoing)
    }
    return {
      adapted: await serve((app) => app.post('/v1/payments', toFastifyHandler(handler))),
      bare: await serve((app) =>
        app.post('/v1/payments', (request, reply) => {
          reply.hijack()
          return bare(request.raw, reply.raw)
        }),
      ),
    }
  },
}

/** `--rows` = requests of one round. */
export const bench: Bench = async ({ rows, only }, report) => {
  await withCluster(async (cluster) => {
    const pool = new pg.Pool({ connectionString: await cluster.createDatabase('adapters'), max: CONNECTIONS })
    pool.on('error', () => undefined)
    const store = createPostgresStore({ pool })
    await store.migrate()
    await store.registerTier('default', 86_400_000)
    const handler = idempotent(async (asked) => Response.json(await asked.json(), { status: 201 }), {
      store,
      keySecret: 'a secret of the bench only',
      scope: () => ({ caller: 'bench', route: '/v1/payments' }),
    })
    const measured = rows ?? REQUESTS_DEFAULT
    for (const [name, serve] of Object.entries(FRAMEWORKS)) {
      if (only !== undefined && only !== name) continue
      const { adapted, bare } = await serve(handler)
      const [ours, theirs] = [await open(adapted), await open(bare)]
      const rates = { ours: [] as number[], theirs: [] as number[] }
      for (const { port } of [ours, theirs]) await perSecond(port, measured)
      // Sides alternate, so that what else the machine does falls on both.
      for (let round = 0; round < ROUNDS; round++) {
        rates.theirs.push(await perSecond(theirs.port, measured))
        rates.ours.push(await perSecond(ours.port, measured))
      }
      report(
        against(
          `${name}: requests through the adapter`,
          {
            value: quantile(rates.ours, 0.5),
            baseline: quantile(rates.theirs, 0.5),
            unit: 'requests/CPU s',
          },
          { ratioMin: RATIO_MIN },
        ),
      )
      for (const { close } of [ours, theirs]) close()
    }
    store.close()
    await pool.end()
  })
}

async function open(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** By the CPU's time, its client's included: what others do on this machine does not count. */
async function perSecond(port: number, requests: number): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const started = process.cpuUsage()
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      for (let n = 0; n < requests / CONNECTIONS; n++) await post(port, agent)
    }),
  )
  agent.destroy()
  const { user, system } = process.cpuUsage(started)
  return (requests * 1_000_000) / (user + system)
}

const post = (port: number, agent: Agent): Promise<void> =>
  new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() }
    const outgoing = request({ port, agent, method: 'POST', path: '/v1/payments', headers }, (answer) => {
      answer.resume()
      if (answer.statusCode !== 201) reject(new Error(`answered ${answer.statusCode}`))
      answer.on('end', resolve)
    })
    outgoing.on('error', reject)
    outgoing.end(BODY)
  })

import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { readServiceEnv, type ServiceEnv } from '../env'
import { toService } from '../messages'
import { createFaultPoints, noFaultPoints, report } from './fault-points'
import { withStoreFault } from './faulty-store'
import { InFlight } from './in-flight'
import { createConsumers } from './messaging/consumers'
import { createReceiver } from './messaging/receive'
import { publishAndHang, startRelay } from './messaging/relay'
import { connectStripe } from './provider'
import { createRoutes, type RouteSettings } from './routes'
import { createPaymentServer } from './server'
import type { Service } from './service'
import { type OpenStore, openStores } from './stores'
import { startTelemetry } from './telemetry'
import { beforeCompletion, withCompletion } from './transaction'

/** Requests in flight get this long to end. */
const drainMs = 1500
const poolSizeMax = 10

async function run(env: ServiceEnv): Promise<void> {
  // The parent is gone, killed perhaps: nobody would ever end this process.
  process.on('disconnect', () => process.exit(0))
  const stopTelemetry = startTelemetry(env)
  const pool = new pg.Pool({
    connectionString: env.DEMO_DATABASE_URL,
    max: poolSizeMax,
    application_name: 'payments',
  })
  pool.on('error', (error) => console.error('payments: database:', error.message))
  const { own, others } = openStores(env, pool)
  const inFlight = new InFlight()
  const faulty = env.DEMO_BARRIERS === '1'
  const points = faulty ? createFaultPoints(inFlight) : noFaultPoints
  const service: Service = {
    pool,
    transact: withCompletion,
    stripe: connectStripe(env.DEMO_PROVIDER_PORT, env.DEMO_PROVIDER_WRITE_KEY),
    mail: { url: `http://127.0.0.1:${env.DEMO_PROVIDER_PORT}`, key: env.DEMO_PROVIDER_WRITE_KEY },
    points,
    inFlight,
  }
  const settingsOf = (store: OpenStore['store']): RouteSettings => ({
    store: faulty ? withStoreFault(store) : store,
    keySecret: env.IDEMSCOPE_KEY_SECRET,
    owner: env.DEMO_INSTANCE_ID,
  })
  const secret = env.DEMO_WEBHOOK_SECRET
  const server = createPaymentServer({
    routes: [
      ...createRoutes(service, settingsOf(own), ''),
      ...others.flatMap(({ prefix, store }) =>
        createRoutes({ ...service, transact: beforeCompletion(pool) }, settingsOf(store), prefix),
      ),
    ],
    receive: createReceiver(createConsumers(service, settingsOf(own)), secret, faulty),
    points,
    inFlight,
  })
  // The first request of a process should not pay for the first connection.
  await pool.query('SELECT 1')
  const port = await listen(server, env.DEMO_SERVICE_PORT)

  const outbox = { pool, secret }
  const stopRelay =
    env.DEMO_RELAY === '1' ? startRelay({ ...outbox, url: `http://127.0.0.1:${port}` }) : async () => {}
  if (faulty)
    process.on('message', (message) => {
      const told = toService.parse(message)
      if (told.type === 'publish-and-hang') publishAndHang(outbox, told)
    })

  let stopping = false
  const stop = async () => {
    if (stopping) return
    stopping = true
    const relayed = stopRelay()
    server.close()
    server.closeIdleConnections()
    await Promise.race([
      Promise.all([inFlight.idle(), relayed]),
      new Promise((resolve) => setTimeout(resolve, drainMs)),
    ])
    for (const store of [own, ...others.map((other) => other.store)]) store.close()
    await stopTelemetry()
    process.exit(0)
  }
  process.on('SIGTERM', () => void stop())
  process.on('SIGINT', () => void stop())
  report({ type: 'listening', port })
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}

await run(readServiceEnv())

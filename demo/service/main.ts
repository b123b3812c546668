import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import pg from 'pg'
import { createPostgresStore } from '../../sdk/stores/postgres'
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
import { startTelemetry } from './telemetry'

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
  const store = createPostgresStore({ pool })
  const inFlight = new InFlight()
  const faulty = env.DEMO_BARRIERS === '1'
  const points = faulty ? createFaultPoints(inFlight) : noFaultPoints
  const service: Service = {
    pool,
    stripe: connectStripe(env.DEMO_PROVIDER_PORT, env.DEMO_PROVIDER_WRITE_KEY),
    mail: { url: `http://127.0.0.1:${env.DEMO_PROVIDER_PORT}`, key: env.DEMO_PROVIDER_WRITE_KEY },
    points,
    inFlight,
  }
  const settings: RouteSettings = {
    store: faulty ? withStoreFault(store) : store,
    keySecret: env.IDEMSCOPE_KEY_SECRET,
    owner: env.DEMO_INSTANCE_ID,
  }
  const secret = env.DEMO_WEBHOOK_SECRET
  const server = createPaymentServer({
    routes: createRoutes(service, settings),
    receive: createReceiver(createConsumers(service, settings), secret, faulty),
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
    store.close()
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

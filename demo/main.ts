import { randomBytes } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import pg from 'pg'
import { systemClock } from './clock'
import { type MainEnv, readMainEnv, type ServiceEnv } from './env'
import { bundleService } from './processes/bundle'
import { ServiceProcess } from './processes/service-process'
import { StableService } from './processes/stable-service'
import { VictimPool } from './processes/victim-pool'
import { VictimsFile } from './processes/victims-file'
import { type RunningProvider, startProvider } from './provider/server'
import { nextSeed } from './run-number'
import { prepareDatabase } from './service/database'
import { connectStripe } from './service/provider'
import { storesOf } from './stores/names'
import { startStores } from './stores/start'
import { faultsNamed } from './traffic/faults/registry'
import { watchMessages } from './traffic/message-eyes'
import { watchProvider } from './traffic/provider-eyes'
import { runTraffic } from './traffic/traffic'
import { untilReadyPlus } from './traffic/until-ready'
import { openTruth } from './truth'

/** Warm processes for faults that kill or stop one. */
const spareVictims = 3
/** From SIGTERM to the end of every process. */
const stopMs = 2800

const stopping = new AbortController()
/** What is stopped before this process ends. */
const ends: { stop(): Promise<void> }[] = []
/** What the service needs until its last request has ended. */
const stores: { stop(): Promise<void> }[] = []

async function run(env: MainEnv): Promise<void> {
  await mkdir(env.DEMO_DATA_DIR, { recursive: true })
  const seed = await nextSeed(env.DEMO_DATA_DIR, env.DEMO_SEED)
  const [provider, bundle] = await Promise.all([
    runProvider(env),
    bundleService(env.DEMO_DATA_DIR),
    prepareDatabase(env.DEMO_DATABASE_URL, env.DEMO_CONSOLE_ROLE),
    startStores(env, stores),
  ])
  const victimsFile = new VictimsFile(env.DEMO_DATA_DIR)
  await victimsFile.sweep(bundle)

  const serviceEnv: ServiceEnv = {
    DEMO_DATABASE_URL: env.DEMO_DATABASE_URL,
    DEMO_OTLP_URL: env.DEMO_OTLP_URL,
    IDEMSCOPE_KEY_SECRET: env.IDEMSCOPE_KEY_SECRET,
    DEMO_PROVIDER_WRITE_KEY: env.DEMO_PROVIDER_WRITE_KEY,
    DEMO_DYNAMODB_URL: env.DEMO_DYNAMODB_URL,
    DEMO_REDIS_URL: env.DEMO_REDIS_URL,
    DEMO_PROVIDER_PORT: provider.port,
    DEMO_SERVICE_PORT: env.DEMO_SERVICE_PORT,
    DEMO_INSTANCE_ID: 'payments-1',
    DEMO_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
    DEMO_RELAY: '1',
    DEMO_BARRIERS: '1',
  }
  const service = new StableService(bundle, serviceEnv)
  ends.push(service)
  await service.start()
  tell({ type: 'service-ready', url: service.url })

  const victims = new VictimPool(bundle, serviceEnv, spareVictims, victimsFile)
  ends.push(victims)
  const eyes = new pg.Pool({
    connectionString: env.DEMO_DATABASE_URL,
    max: 2,
    application_name: 'demo-traffic',
  })
  eyes.on('error', (error) => console.error('demo: database:', error.message))
  ends.push({ stop: () => eyes.end() })
  const traffic = runTraffic(
    {
      seed,
      rate: env.DEMO_RATE,
      faultRate: env.DEMO_FAULT_RATE,
      ...faultsNamed(env.DEMO_FAULT),
      stores: storesOf(env),
      serviceUrl: () => service.url,
      victims,
      provider: watchProvider(connectStripe(provider.port, env.DEMO_PROVIDER_READ_KEY), provider.control),
      messages: watchMessages({
        pool: eyes,
        withRelayPaused: (work) => service.withRelayPaused(work),
        provider: { url: provider.url, readKey: env.DEMO_PROVIDER_READ_KEY },
      }),
      writeTruth: openTruth(join(env.DEMO_DATA_DIR, 'truth.ndjson')),
      clock: systemClock,
      signal: stopping.signal,
    },
    untilReadyPlus(env.DEMO_READY_URL, env.DEMO_DURATION_S, stopping.signal),
  )
  tell({ type: 'traffic-began' })
  const summary = await traffic
  if (stopping.signal.aborted) return
  await victims.stop()
  tell({ type: 'traffic-ended', ...summary })
}

async function runProvider(env: MainEnv): Promise<RunningProvider> {
  const provider = await startProvider({
    port: env.DEMO_PROVIDER_PORT,
    dataDir: env.DEMO_DATA_DIR,
    readKey: env.DEMO_PROVIDER_READ_KEY,
    writeKey: env.DEMO_PROVIDER_WRITE_KEY,
    seed: env.DEMO_SEED,
  })
  tell({ type: 'provider-ready', url: provider.url })
  return provider
}

type ToSupervisor =
  | { type: 'provider-ready' | 'service-ready'; url: string }
  | { type: 'traffic-began' }
  | { type: 'traffic-ended'; operations: number; faults: number; failures: number }

function tell(message: ToSupervisor): void {
  if (process.connected) process.send?.(message)
}

async function stop(code: number): Promise<void> {
  if (stopping.signal.aborted) return
  stopping.abort(new Error('the demo stops'))
  const deadline = new Promise((resolve) => setTimeout(resolve, stopMs))
  const stopAll = (all: typeof ends) => Promise.allSettled(all.map((one) => one.stop()))
  await Promise.race([stopAll(ends).then(() => stopAll(stores)), deadline])
  process.exit(code)
}

process.on('SIGTERM', () => void stop(0))
process.on('SIGINT', () => void stop(0))
// The supervisor is gone: this process would never be told to end.
process.on('disconnect', () => void stop(0))
// No service process outlives this one, in whatever way it ends.
process.on('exit', () => ServiceProcess.killAllNow())

run(readMainEnv()).catch((error: unknown) => {
  if (stopping.signal.aborted) return
  console.error('demo:', error)
  void stop(1)
})

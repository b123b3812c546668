import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type Stripe from 'stripe'
import type { ServiceEnv } from '@/demo/env'
import { bundleService } from '@/demo/processes/bundle'
import { StableService } from '@/demo/processes/stable-service'
import { VictimPool } from '@/demo/processes/victim-pool'
import { VictimsFile } from '@/demo/processes/victims-file'
import { startProvider } from '@/demo/provider/server'
import { prepareDatabase } from '@/demo/service/database'
import { connectStripe } from '@/demo/service/provider'
import { type StoreName, storePrefixes } from '@/demo/stores/names'
import { startStores } from '@/demo/stores/start'
import { Client } from '@/demo/traffic/client'
import type { Stage } from '@/demo/traffic/faults/stage'
import { habits, patiently } from '@/demo/traffic/habits'
import { type MessageEyes, watchMessages } from '@/demo/traffic/message-eyes'
import type { ClientName, Operation } from '@/demo/traffic/operation'
import { watchProvider } from '@/demo/traffic/provider-eyes'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { createEmptyDatabase } from '../support/database'

export const keys = { readKey: 'rk_test_12345678', writeKey: 'sk_test_12345678' }

export interface Fixture {
  readonly url: string
  readonly pool: pg.Pool
  readonly consoleRole: string
  readonly consolePool: pg.Pool
  readonly stripe: Stripe
  client(name: ClientName, store?: StoreName): Client
  stage(operation: Operation): Stage
  readonly messages: MessageEyes
  /** Where its stores listen; '' = it is without. */
  readonly urls: { dynamodb: string; redis: string; redisConsole: string }
  close(): Promise<void>
}

/** A whole payment service: database, provider, stable process and victims. Nobody listens to its telemetry. */
export async function startFixture(spareVictims: number, withFurtherStores = false): Promise<Fixture> {
  const dataDir = await mkdtemp(join(tmpdir(), 'idemscope-demo-'))
  const database = await createEmptyDatabase()
  const role = await createRole(database.adminUrl)
  await prepareDatabase(database.url, role.name)
  const provider = await startProvider({ port: 0, dataDir, seed: 'test', ...keys })
  const bundle = await bundleService(dataDir)
  const urls = withFurtherStores ? await freeUrls() : { dynamodb: '', redis: '', redisConsole: '' }
  const stores: { stop(): Promise<void> }[] = []
  await startStores(
    {
      DEMO_DATA_DIR: dataDir,
      DEMO_DYNAMODB_URL: urls.dynamodb,
      DEMO_REDIS_URL: urls.redis,
      DEMO_REDIS_CONSOLE_URL: urls.redisConsole,
    },
    stores,
  )
  const env: ServiceEnv = {
    DEMO_DATABASE_URL: database.url,
    DEMO_OTLP_URL: 'http://127.0.0.1:9',
    IDEMSCOPE_KEY_SECRET: 'a secret of the tests',
    DEMO_PROVIDER_WRITE_KEY: keys.writeKey,
    DEMO_PROVIDER_PORT: provider.port,
    DEMO_SERVICE_PORT: 0,
    DEMO_DYNAMODB_URL: urls.dynamodb,
    DEMO_REDIS_URL: urls.redis,
    DEMO_INSTANCE_ID: 'payments-test',
    DEMO_WEBHOOK_SECRET: `whsec_${randomBytes(32).toString('base64')}`,
    DEMO_RELAY: '1',
    DEMO_BARRIERS: '1',
  }
  const service = new StableService(bundle, env)
  const victims = new VictimPool(bundle, env, spareVictims, new VictimsFile(dataDir))
  await service.start()
  const pool = new pg.Pool({ connectionString: database.url, max: 3 })
  const consoleUrl = new URL(database.url)
  consoleUrl.username = role.name
  consoleUrl.password = role.password
  const consolePool = new pg.Pool({ connectionString: consoleUrl.href, max: 2 })
  const stripe = connectStripe(provider.port, keys.readKey)
  const messages = watchMessages({
    pool,
    withRelayPaused: (work) => service.withRelayPaused(work),
    provider: { url: provider.url, readKey: keys.readKey },
  })
  const stopping = new AbortController()
  const client = (name: ClientName, store: StoreName = 'postgresql') =>
    new Client({
      name,
      habit: patiently(habits[name]),
      serviceUrl: () => service.url,
      prefix: storePrefixes[store],
      random: Math.random,
      signal: stopping.signal,
    })
  return {
    url: service.url,
    pool,
    consoleRole: role.name,
    consolePool,
    stripe,
    client,
    messages,
    urls,
    stage: (operation) => ({
      operation,
      client: client(operation.client, operation.store),
      victims,
      provider: watchProvider(stripe, provider.control),
      messages,
      wait: (delayMs) => new Promise((resolve) => setTimeout(resolve, delayMs)),
    }),
    async close() {
      stopping.abort()
      await Promise.all([victims.stop(), service.stop()])
      await Promise.all(stores.map((store) => store.stop()))
      await Promise.all([pool.end(), consolePool.end(), provider.close()])
      await database.close()
      await role.drop()
      await rm(dataDir, { recursive: true })
    },
  }
}

async function freeUrls() {
  const redis = (user: string, port: number) => `redis://${user}:of-the-tests@127.0.0.1:${port}`
  const port = await freePort()
  return {
    dynamodb: `http://127.0.0.1:${await freePort()}`,
    redis: redis('tickets', port),
    redisConsole: redis('console', port),
  }
}

/** Roles belong to the cluster, so each stand has one of its own. */
export async function createRole(adminUrl: string) {
  const name = `source_${randomBytes(6).toString('hex')}`
  const password = randomBytes(12).toString('hex')
  const asAdmin = async (sql: string) => {
    const admin = new pg.Client({ connectionString: adminUrl })
    await admin.connect()
    try {
      await admin.query(sql)
    } finally {
      await admin.end()
    }
  }
  await asAdmin(`CREATE ROLE ${name} LOGIN PASSWORD '${password}'`)
  return { name, password, drop: () => asAdmin(`DROP ROLE ${name}`) }
}

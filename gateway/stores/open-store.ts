import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { Redis } from 'ioredis'
import pg from 'pg'
import { createDynamoStore } from '@/sdk/stores/dynamodb'
import { createHybridStore } from '@/sdk/stores/hybrid'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { createRedisStore } from '@/sdk/stores/redis'
import type { Store } from '@/sdk/stores/store'
import type { StoreConfig } from '../config/store-schema'

export type OpenStore = {
  store: Store
  /** Brings its tables and tiers to what the configuration says; throws while it cannot be reached. */
  prepare(): Promise<void>
  close(): Promise<void>
}

export type OnStoreTrouble = (what: string, error: unknown) => void

const CONNECT_TIMEOUT_MS = 5_000

/** Opens without waiting: a store that is down is no reason not to start. */
export function openStore(config: StoreConfig, onTrouble: OnStoreTrouble): OpenStore {
  const onHoldError = (error: unknown) => onTrouble('holds could not be read', error)
  const timeout = config.operationTimeout === undefined ? {} : { operationTimeoutMs: config.operationTimeout }
  switch (config.type) {
    case 'postgres':
    case 'hybrid': {
      const { base, end, prepare } = openPostgres(config, onTrouble)
      if (config.type === 'postgres') return { store: base as Store, prepare, close: end }
      const cache = openRedis(config.cache, onTrouble)
      const store = createHybridStore({ store: base, cache, ask: config.ask })
      return {
        store: store as Store,
        prepare,
        async close() {
          cache.disconnect()
          await end()
        },
      }
    }
    case 'redis': {
      const client = openRedis(config.url, onTrouble)
      const store = createRedisStore({ client, assumeDurable: config.assumeDurable, onHoldError, ...timeout })
      return {
        store,
        prepare: () => registerTiers(store, config.tiers),
        async close() {
          store.close()
          client.disconnect()
        },
      }
    }
    case 'dynamodb': {
      const { table, region, endpoint, largeResponses, assumeDurable, create, tiers } = config
      const client = new DynamoDBClient({ region, ...(endpoint === undefined ? {} : { endpoint }) })
      const options = { client, tableName: table, largeResponses, assumeDurable, onHoldError, ...timeout }
      const store = createDynamoStore(options)
      return {
        store,
        async prepare() {
          if (create) await store.createTable()
          await registerTiers(store, tiers)
        },
        async close() {
          store.close()
          client.destroy()
        },
      }
    }
  }
}

function openPostgres(
  config: Extract<StoreConfig, { type: 'postgres' | 'hybrid' }>,
  onTrouble: OnStoreTrouble,
): { base: PostgresStore; prepare(): Promise<void>; end(): Promise<void> } {
  const pool = new pg.Pool({
    connectionString: config.url,
    max: config.connections,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'idemscope-gateway',
  })
  // One that breaks while idle must not end the process; the next request says what is wrong.
  pool.on('error', () => {})
  const base = createPostgresStore({
    pool,
    schema: config.schema,
    prepare: config.prepare,
    onPartitionError: (error) => onTrouble('partitions could not be made ahead', error),
    onHoldError: (error) => onTrouble('holds could not be read', error),
    ...(config.operationTimeout === undefined ? {} : { operationTimeoutMs: config.operationTimeout }),
  })
  return {
    base,
    async prepare() {
      if (config.migrate) await base.migrate()
      await registerTiers(base, config.tiers)
    },
    async end() {
      base.close()
      await pool.end()
    },
  }
}

function openRedis(url: string, onTrouble: OnStoreTrouble): Redis {
  const client = new Redis(url, { connectTimeout: CONNECT_TIMEOUT_MS })
  client.on('error', (error) => onTrouble('Redis', error))
  return client
}

async function registerTiers(
  store: { registerTier(name: string, ttlMs: number): Promise<void> },
  tiers: Readonly<Record<string, number>>,
): Promise<void> {
  for (const [name, ttlMs] of Object.entries(tiers)) await store.registerTier(name, ttlMs)
}

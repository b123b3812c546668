import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { Redis } from 'ioredis'
import type { Pool, PoolClient } from 'pg'
import { createDynamoStore } from '../../sdk/stores/dynamodb'
import { createPostgresStore } from '../../sdk/stores/postgres'
import { createRedisStore } from '../../sdk/stores/redis'
import type { Store } from '../../sdk/stores/store'
import type { ServiceEnv } from '../env'
import { credentials } from '../stores/credentials'
import { storePrefixes, tableName } from '../stores/names'

type Closable = Store<PoolClient> & { close(): void }

/** A store that the service keeps the keys of some of its routes in. */
export interface OpenStore {
  /** What those routes begin with. */
  readonly prefix: string
  readonly store: Closable
}

/** The one in the service's own database, and those elsewhere. */
export function openStores(env: ServiceEnv, pool: Pool): { own: Closable; others: readonly OpenStore[] } {
  const others: OpenStore[] = []
  if (env.DEMO_DYNAMODB_URL !== '') {
    const client = new DynamoDBClient({ endpoint: env.DEMO_DYNAMODB_URL, region: 'local', credentials })
    others.push({ prefix: storePrefixes.dynamodb, store: createDynamoStore({ client, tableName }) })
  }
  if (env.DEMO_REDIS_URL !== '') {
    const client = new Redis(env.DEMO_REDIS_URL)
    client.on('error', (error) => console.error('payments: Redis:', error.message))
    others.push({ prefix: storePrefixes.redis, store: createRedisStore({ client }) })
  }
  return { own: createPostgresStore({ pool }), others }
}

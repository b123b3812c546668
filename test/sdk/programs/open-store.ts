import { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { Redis } from 'ioredis'
import pg from 'pg'
import { createDynamoStore } from '../../../sdk/stores/dynamodb'
import { createPostgresStore } from '../../../sdk/stores/postgres'
import { createRedisStore } from '../../../sdk/stores/redis'
import type { Store } from '../../../sdk/stores/store'

/** The store of a process that has nothing but an address. */
export function openStoreAt(url: string): Store {
  const { protocol, host, pathname } = new URL(url)
  switch (protocol) {
    case 'dynamodb:': {
      const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
      const client = new DynamoDBClient({ endpoint: `http://${host}`, region: 'local', credentials })
      return createDynamoStore({ client, tableName: pathname.slice(1) })
    }
    case 'redis:':
      return createRedisStore({ client: new Redis(url) })
    case 'postgres:':
    case 'postgresql:':
      return createPostgresStore({ pool: new pg.Pool({ connectionString: url, max: 2 }) })
    default:
      throw new Error(`no store is known at ${protocol}`)
  }
}

import { Redis } from 'ioredis'
import pg from 'pg'
import { createPostgresStore } from '../../../sdk/stores/postgres'
import { createRedisStore } from '../../../sdk/stores/redis'
import type { Store } from '../../../sdk/stores/store'

/** The store of a process that has nothing but an address. */
export function openStoreAt(url: string): Store {
  const { protocol } = new URL(url)
  switch (protocol) {
    case 'redis:':
      return createRedisStore({ client: new Redis(url) })
    case 'postgres:':
    case 'postgresql:':
      return createPostgresStore({ pool: new pg.Pool({ connectionString: url, max: 2 }) })
    default:
      throw new Error(`no store is known at ${protocol}`)
  }
}

import pg from 'pg'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { startBreakingProxy } from './breaking-proxy'
import { createStoreFixture, type StoreFixture } from './support'

export type BreakingFixture = StoreFixture & {
  proxy: Awaited<ReturnType<typeof startBreakingProxy>>
  /** The same store through the proxy. */
  through: { pool: pg.Pool; store: PostgresStore }
}

/** A native store, and a second way to it on which connections break. */
export async function createBreakingFixture(): Promise<BreakingFixture> {
  const fixture = await createStoreFixture()
  const proxy = await startBreakingProxy(fixture.url)
  // As the README sets it up: the clients have no listener of their own.
  const pool = new pg.Pool({ connectionString: proxy.url, max: 4 })
  pool.on('error', () => {})
  const store = createPostgresStore({ pool })
  return {
    ...fixture,
    proxy,
    through: { pool, store },
    async close() {
      store.close()
      await pool.end()
      await proxy.close()
      await fixture.close()
    },
  }
}

import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createPostgresStore } from '@/sdk/stores/postgres'
import {
  acquireRequest,
  createStoreFixture,
  holderOf,
  okResponse,
  openPool,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

const TWIN = 'a_schema_whose_name_is_as_long_as_postgresql_allows'

/** One connection, over which each of the stores executes keys; the statements that it holds then. */
async function statementsAfter(prepare: boolean, schemas: readonly string[]): Promise<string[]> {
  const pool = openPool(fixture.url, 1)
  for (const schema of schemas) {
    const store = createPostgresStore({ pool, schema, prepare })
    await store.migrate()
    await store.registerTier('default', 3_600_000)
    for (const n of [1, 2, 3]) {
      const request = acquireRequest(`prepared-${prepare}-${n}`)
      const holder = holderOf(request, await store.acquire(request))
      expect(await store.complete(holder, okResponse())).not.toBe('stale')
    }
    store.close()
  }
  const { rows } = await pool.query<{ statement: string }>('SELECT statement FROM pg_prepared_statements')
  await pool.end()
  return rows.map(({ statement }) => statement)
}

it('prepares each statement once a connection, and keeps the schemas apart however long their names', async () => {
  const statements = await statementsAfter(true, ['public', `${TWIN}_1`, `${TWIN}_2`])
  expect(new Set(statements).size).toBe(statements.length)
  for (const schema of ['public', `${TWIN}_1`, `${TWIN}_2`])
    expect(statements.filter((text) => text.includes(`"${schema}".idem_acquire`))).toHaveLength(1)
})

it('prepares nothing where a pooler shares connections and keeps no statements', async () => {
  expect(await statementsAfter(false, ['public'])).toEqual([])
})

it('keeps to the indexes, when the tables have grown since a session made its plans', async () => {
  const pool = openPool(fixture.url, 1)
  const store = createPostgresStore({ pool })
  await store.ensurePartitions('default')
  for (const table of ['idem_lease', 'idem_step']) {
    // Known to be empty: a scan of it costs the least.
    await pool.query(`VACUUM (ANALYZE) ${table}`)
    await pool.query(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`)
  }
  const effect = { step: 'charge', name: 'charge', kind: 'http', providerKey: 'p', leaseMs: 1000 } as const
  async function runKey(name: string): Promise<void> {
    const request = acquireRequest(name)
    const holder = holderOf(request, await store.acquire(request))
    await store.heartbeat(holder, 1000)
    await store.checkpoint(holder, 'reserved', null)
    await store.beginEffect(holder, effect)
    expect(await store.settleEffect(holder, 'charge', { state: 'failed' })).toBe(true)
    await store.acquire(request)
    expect(await store.giveBack(holder)).toBe('retryable')
    const again = holderOf(request, await store.acquire(request))
    expect(await store.abandon(again)).toBe('retryable')
    const last = holderOf(request, await store.acquire(request))
    expect(await store.complete(last, okResponse())).not.toBe('stale')
  }
  // Number of calls after which PostgreSQL keeps a plan for all values.
  for (let n = 0; n < 8; n++) await runKey(`planned-${n}`)
  const scans = async () => {
    await pool.query('SELECT pg_stat_force_next_flush()')
    const { rows } = await pool.query<{ scans: number }>(
      `SELECT sum(seq_scan)::int AS scans FROM pg_stat_user_tables WHERE relname ~ '^idem_(lease|step|record|body|scope|tier)'`,
    )
    return rows[0]?.scans
  }
  // What other sessions scanned before is counted when they report it, which may be now.
  await vi.waitFor(async () => {
    const before = await scans()
    await runKey(`grown-${before}`)
    expect(await scans()).toBe(before)
  })
  store.close()
  await pool.end()
})

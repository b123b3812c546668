import { afterAll, beforeAll, expect, it } from 'vitest'
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

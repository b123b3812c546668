import { afterAll, beforeAll, expect, it } from 'vitest'
import { acquireRequest, createStoreFixture, holderOf, okResponse, type StoreFixture } from './support'

/** How long an acquire may stand behind a collection. */
const WAIT_MAX_MS = 100
const ATTEMPTS = 4

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(12)
})
afterAll(() => fixture.close())

/** A leaf of a year long past, with a record and its body, beside the live ones. */
async function expiredLeaf(year: number): Promise<{ leaf: string; body: string }> {
  const [from, to] = [`${year}-01-01T00:00:00Z`, `${year}-01-02T00:00:00Z`]
  const leaf = `idem_record_t1_${Date.parse(to)}`
  const body = leaf.replace('record', 'body')
  await fixture.query(`
    CREATE TABLE ${leaf} PARTITION OF idem_record_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    CREATE TABLE ${body} PARTITION OF idem_body_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    INSERT INTO ${leaf} SELECT '${from}', '${from}', 1, 1, 1, 201, 1, 'C', uuid_send(gen_random_uuid()),
      uuid_send(gen_random_uuid()), NULL;
    INSERT INTO ${body} SELECT expires_at, scope_id, tier, key, NULL, 'x', NULL FROM ${leaf}`)
  return { leaf, body }
}

/** Requests without pause, and the longest that one of them stood in a queue for a lock, as the server has it. */
function foreground() {
  let running = true
  let longestMs = 0
  let executed = 0
  const client = async (name: string) => {
    for (let n = 0; running; n++) {
      const request = acquireRequest(`${name}-${n}`)
      await fixture.store.complete(holderOf(request, await fixture.store.acquire(request)), okResponse())
      executed += 1
    }
  }
  const watch = async () => {
    while (running) {
      const [row] = await fixture.query<{ ms: number | null }>(
        `SELECT (extract(epoch FROM max(clock_timestamp() - l.waitstart)) * 1000)::float8 AS ms
         FROM pg_locks l JOIN pg_stat_activity a USING (pid)
         WHERE NOT l.granted AND (a.query LIKE '%idem_acquire%' OR a.query LIKE '%idem_complete%')`,
      )
      longestMs = Math.max(longestMs, row?.ms ?? 0)
    }
  }
  const id = Math.trunc(performance.now() * 1000)
  const work = [client(`a${id}`), client(`b${id}`), watch()]
  return async () => {
    running = false
    await Promise.all(work)
    return { executed, longestMs }
  }
}

const READERS = {
  'of the leaf': ({ leaf }) => `SELECT count(*) FROM ${leaf}`,
  'of every record': () => 'SELECT count(*) FROM idem_record',
  'of the leaf’s bodies': ({ body }) => `SELECT count(*) FROM ${body}`,
  'that locks all tables, as a dump does': () => 'LOCK TABLE idem_record, idem_body IN ACCESS SHARE MODE',
  'of other leaves only, through the parent': () =>
    "SELECT count(*) FROM idem_record WHERE tier = 1 AND expires_at > '2024-06-01T00:00:00Z'",
} as const satisfies Record<string, (tables: { leaf: string; body: string }) => string>

it.each(Object.entries(READERS))(
  'a collection behind a reader %s gives way, holds no acquire up, and goes through once it has ended',
  async (name, statement) => {
    const tables = await expiredLeaf(1990 + Object.keys(READERS).indexOf(name))
    const collect = () => fixture.query('SELECT * FROM idem_collect_leaf($1, 0)', [tables.leaf])
    const reader = await fixture.pool.connect()
    const stop = foreground()
    try {
      await reader.query('BEGIN')
      await reader.query(statement(tables))
      for (let attempt = 0; attempt < ATTEMPTS; attempt++)
        await expect(collect()).rejects.toMatchObject({ code: '55P03' })
    } finally {
      await reader.query('COMMIT')
      reader.release()
    }
    await expect.poll(() => collect().then((rows) => rows.length), { timeout: 5_000 }).toBe(1)
    const { executed, longestMs } = await stop()
    expect(executed).toBeGreaterThan(ATTEMPTS)
    expect(longestMs).toBeLessThan(WAIT_MAX_MS)
    expect(await fixture.query('SELECT to_regclass($1) AS leaf', [tables.leaf])).toEqual([{ leaf: null }])
  },
  30_000,
)

it('a role without rights on other sessions collects as well', async () => {
  const { leaf } = await expiredLeaf(1980)
  const role = `collector_${Math.trunc(performance.now() * 1000)}`
  const client = await fixture.pool.connect()
  try {
    await client.query(`CREATE ROLE ${role}`)
    await client.query(`GRANT EXECUTE ON FUNCTION idem_collect_leaf(regclass, bigint) TO ${role}`)
    await client.query(`SET ROLE ${role}`)
    expect((await client.query('SELECT * FROM idem_collect_leaf($1, 0)', [leaf])).rows).toHaveLength(1)
  } finally {
    await client.query('RESET ROLE')
    await client.query(`DROP OWNED BY ${role}`)
    await client.query(`DROP ROLE ${role}`)
    client.release()
  }
})

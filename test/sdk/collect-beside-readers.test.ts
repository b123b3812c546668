import { afterAll, beforeAll, expect, it } from 'vitest'
import { startForeground } from './foreground'
import { createStoreFixture, type StoreFixture } from './support'

/**
 * How long an acquire may stand behind a collection: 50 ms by the lock's timeout, as the server has it. The rest is for a
 * machine that is busy; without the timeout an acquire would stand until the reader has ended, and the test with it.
 */
const WAIT_MAX_MS = 5_000
const ATTEMPTS = 4

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(12)
})
afterAll(() => fixture.close())

/** A partition of a year long past, with a record and its body, beside the live ones. */
async function expiredPartition(year: number): Promise<{ partition: string; body: string }> {
  const [from, to] = [`${year}-01-01T00:00:00Z`, `${year}-01-02T00:00:00Z`]
  const partition = `idem_record_t1_${Date.parse(to)}`
  const body = partition.replace('record', 'body')
  await fixture.query(`
    CREATE TABLE ${partition} PARTITION OF idem_record_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    CREATE TABLE ${body} PARTITION OF idem_body_t1 FOR VALUES FROM ('${from}') TO ('${to}');
    INSERT INTO ${partition} SELECT '${from}', '${from}', 1, 1, 1, 201, 1, 'C', uuid_send(gen_random_uuid()),
      uuid_send(gen_random_uuid()), NULL;
    INSERT INTO ${body} SELECT expires_at, scope_id, tier, key, NULL, 'x', NULL FROM ${partition}`)
  return { partition, body }
}

const READERS = {
  'of the partition': ({ partition }) => `SELECT count(*) FROM ${partition}`,
  'of every record': () => 'SELECT count(*) FROM idem_record',
  'of the partition’s bodies': ({ body }) => `SELECT count(*) FROM ${body}`,
  'that locks all tables, as a dump does': () => 'LOCK TABLE idem_record, idem_body IN ACCESS SHARE MODE',
  'of other partitions only, through the parent': () =>
    "SELECT count(*) FROM idem_record WHERE tier = 1 AND expires_at > '2024-06-01T00:00:00Z'",
} as const satisfies Record<string, (tables: { partition: string; body: string }) => string>

it.each(Object.entries(READERS))(
  'a collection behind a reader %s gives way, holds no acquire up, and goes through once it has ended',
  async (name, statement) => {
    const tables = await expiredPartition(1990 + Object.keys(READERS).indexOf(name))
    const collect = () => fixture.query('SELECT * FROM idem_collect_partition($1, 0)', [tables.partition])
    const reader = await fixture.pool.connect()
    const foreground = startForeground(fixture)
    try {
      await reader.query('BEGIN')
      await reader.query(statement(tables))
      for (let attempt = 0; attempt < ATTEMPTS; attempt++)
        await expect(collect()).rejects.toMatchObject({
          code: '55P03',
          message: expect.stringMatching(/held by a reader, process \d+/),
        })
    } finally {
      await reader.query('COMMIT')
      reader.release()
    }
    await expect.poll(() => collect().then((rows) => rows.length)).toBe(1)
    const { executed, longestMs } = await foreground.stop()
    expect(executed).toBeGreaterThan(ATTEMPTS)
    expect(longestMs).toBeLessThan(WAIT_MAX_MS)
    expect(await fixture.query('SELECT to_regclass($1) AS partition', [tables.partition])).toEqual([
      { partition: null },
    ])
  },
)

it('names a vacuum that is in the way, and a writer', async () => {
  const { partition } = await expiredPartition(1985)
  const collect = () => fixture.query('SELECT * FROM idem_collect_partition($1, 0)', [partition])
  await fixture.query(`INSERT INTO ${partition} SELECT r.expires_at, r.created_at, n, 1, 1, 201, 1, 'C', uuid_send(gen_random_uuid()),
    r.fingerprint, NULL FROM ${partition} r, generate_series(1, 5000) n`)
  const client = await fixture.pool.connect()
  await client.query('SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1')
  const { rows } = await client.query('SELECT pg_backend_pid() AS pid')
  const vacuum = client.query(`VACUUM (FREEZE) ${partition}`).catch((error: unknown) => error)
  await expect
    .poll(() => fixture.query('SELECT FROM pg_stat_progress_vacuum WHERE pid = $1', [rows[0].pid]))
    .toHaveLength(1)
  await expect(collect()).rejects.toMatchObject({
    code: '55P03',
    message: expect.stringMatching(new RegExp(`held by a vacuum, process ${rows[0].pid}`)),
  })
  await fixture.query('SELECT pg_cancel_backend($1)', [rows[0].pid])
  await vacuum
  await client.query(`RESET ALL; BEGIN; UPDATE ${partition} SET attempts = 2`)
  await expect(collect()).rejects.toThrow(/held by a writer, process/)
  await client.query('ROLLBACK')
  client.release()
  expect(await collect()).toHaveLength(1)
})

it('a role without rights on other sessions collects as well', async () => {
  const { partition } = await expiredPartition(1980)
  const role = `collector_${Math.trunc(performance.now() * 1000)}`
  const client = await fixture.pool.connect()
  try {
    await client.query(`CREATE ROLE ${role}`)
    await client.query(`GRANT EXECUTE ON FUNCTION idem_collect_partition(regclass, bigint) TO ${role}`)
    await client.query(`SET ROLE ${role}`)
    expect(
      (await client.query('SELECT * FROM idem_collect_partition($1, 0)', [partition])).rows,
    ).toHaveLength(1)
  } finally {
    await client.query('RESET ROLE')
    await client.query(`DROP OWNED BY ${role}`)
    await client.query(`DROP ROLE ${role}`)
    client.release()
  }
})

import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import { type AdapterName, openAdapter } from '@/lib/sources/adapters'
import type { AnySource } from '@/lib/sources/contracts'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { createEmptyDatabase } from '../support/database'
import { BRANDUR_SCHEMA } from '../support/rocket-rides-schema'

/** Every feed of PostgreSQL: what commits late is read, whatever its id or its stamp. No overlap helps here. */

const RELATION = { schema: 'public', name: 'request' }
const MAPPED = {
  relation: RELATION,
  columns: { key: 'key', createdAt: 'created_at', body: 'body' },
  scope: { caller: { literal: '7' }, method: { literal: 'POST' }, route: { literal: '/rides' } },
  state: { kind: 'finished' },
  expiry: { afterMs: 86_400_000 },
  overlapMs: 0,
}
const TABLE = `CREATE TABLE request (id bigserial PRIMARY KEY, key text NOT NULL, body text,`
const INSERT = 'INSERT INTO request (key) VALUES ($1)'
const SCOPE = '7/POST /rides'

type Layout = {
  name: string
  adapter: AdapterName
  config: Record<string, unknown>
  schema: string
  /** Of a key, or a posting, that is finished at once. */
  insert: string
  /** What comes before it, in a transaction of its own. */
  before?: string
}

const LAYOUTS: Layout[] = [
  {
    name: 'native, by expiry',
    adapter: 'native',
    config: { overlapMs: 0 },
    schema: '',
    before: `SELECT idem_acquire('${SCOPE}', $1, (SELECT tier FROM idem_tier WHERE name = 'standard'),
      decode(repeat('00', 16), 'hex'), 'holder', 60000, NULL)`,
    insert: `SELECT idem_complete('${SCOPE}', $1, (SELECT fence FROM idem_lease WHERE key = idem_key_bytes($1)), 'C',
      201::smallint, '[]', convert_to('{}', 'UTF8'))`,
  },
  {
    name: 'rocket-rides-atomic, by id',
    adapter: 'rocket-rides-atomic',
    config: { overlapMs: 0 },
    schema: BRANDUR_SCHEMA,
    insert: `INSERT INTO idempotency_keys (idempotency_key, request_method, request_params, request_path, recovery_point, user_id, locked_at)
      VALUES ($1, 'POST', '{}', '/rides', 'finished', 7, NULL)`,
  },
  {
    name: 'guide-recipe, by stamp',
    adapter: 'guide-recipe',
    config: { overlapMs: 0 },
    schema: `CREATE TABLE idempotency_requests (
      id BIGSERIAL PRIMARY KEY, user_id TEXT NOT NULL, idempotency_key TEXT NOT NULL, request_hash TEXT NOT NULL,
      response_status INT NOT NULL, response_body JSONB NOT NULL, created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
      expires_at TIMESTAMPTZ NOT NULL DEFAULT now() + interval '24 hours')`,
    insert: `INSERT INTO idempotency_requests (user_id, idempotency_key, request_hash, response_status, response_body)
      VALUES ('7', $1, 'abc', 201, '{}')`,
  },
  {
    name: 'mapped, by id',
    adapter: 'mapped-postgres',
    config: { ...MAPPED, order: 'id' },
    schema: `${TABLE} created_at timestamptz NOT NULL DEFAULT now())`,
    insert: INSERT,
  },
  {
    name: 'mapped, by stamp without a time zone',
    adapter: 'mapped-postgres',
    config: MAPPED,
    schema: `${TABLE} created_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC'))`,
    insert: INSERT,
  },
  {
    name: 'mapped, by stamp in ms',
    adapter: 'mapped-postgres',
    config: MAPPED,
    schema: `${TABLE} created_at bigint NOT NULL DEFAULT floor(extract(epoch FROM now()) * 1000))`,
    insert: INSERT,
  },
  {
    name: 'ledger, by stamp',
    adapter: 'ledger-postgres',
    config: {
      relation: { schema: 'public', name: 'posting' },
      columns: {
        entryId: 'id',
        kind: 'kind',
        providerRef: 'ref',
        reference: 'ref',
        amountMinor: 'amount',
        currency: 'currency',
        bookedAt: 'booked_at',
      },
      kinds: { charge: ['charge'], refund: [] },
      overlapMs: 0,
    },
    schema: `CREATE TABLE posting (id bigserial PRIMARY KEY, kind text DEFAULT 'charge', ref text, amount int DEFAULT 1,
      currency text DEFAULT 'EUR', booked_at timestamptz DEFAULT now())`,
    insert: 'INSERT INTO posting (ref) VALUES ($1)',
  },
]

describe.each(LAYOUTS)('$name', (layout) => {
  const { adapter, config, schema, insert, before } = layout
  let database: Awaited<ReturnType<typeof createEmptyDatabase>>
  let service: pg.Pool
  let source: AnySource
  let cursor: string | null = null
  let oursAheadMs = 0
  const clock = { now: () => new Date(systemClock.now().getTime() + oursAheadMs) }

  beforeAll(async () => {
    database = await createEmptyDatabase()
    service = new pg.Pool({ connectionString: database.url, max: 8 })
    service.on('error', () => undefined)
    if (adapter === 'native') {
      const store = createPostgresStore({ pool: service })
      await store.migrate()
      await store.registerTier('standard', 86_400_000)
      store.close()
    } else await service.query(schema)
    source = openAdapter(adapter, config, { url: database.url }, { demo: false, clock })
  })
  afterAll(async () => {
    await source.close()
    await service.end()
    await database.close()
  })

  const prepare = async (key: string) => {
    if (before !== undefined) await service.query(before, [key])
  }
  async function write(key: string): Promise<void> {
    await prepare(key)
    await service.query(insert, [key])
  }
  /** Reads one pass, page by page. */
  async function pass(limit = 2): Promise<string[]> {
    const keys: string[] = []
    for (let more = true; more; ) {
      if (source.kind !== 'intent' && source.kind !== 'ledger') throw new Error('no feed')
      const page = await (source.kind === 'intent'
        ? source.readRecords(cursor, limit)
        : source.readRows(cursor, limit))
      keys.push(...page.items.map((row) => ('key' in row ? row.key : (row.providerRef ?? ''))))
      ;({ cursor, more } = page)
    }
    return keys
  }
  async function inTransaction(work: (client: pg.PoolClient) => Promise<void>): Promise<void> {
    const client = await service.connect()
    try {
      await client.query('BEGIN')
      await work(client)
    } finally {
      await client.query('ROLLBACK').catch(() => undefined)
      client.release()
    }
  }

  test('reads a row that commits behind a younger one, passes later, once it is there', async () => {
    await write('first')
    await pass()
    await prepare('late')
    await inTransaction(async (client) => {
      await client.query(insert, ['late'])
      for (const key of ['young-1', 'young-2', 'young-3']) {
        await write(key)
        const keys = await pass()
        expect(keys).toContain(key)
        expect(keys).not.toContain('late')
      }
      await client.query('COMMIT')
    })
    expect(await pass()).toContain('late')
  })

  test('reads a row of a transaction that began long before it wrote', async () => {
    await prepare('slow')
    await inTransaction(async (client) => {
      await client.query('SELECT now()')
      for (const key of ['quick-1', 'quick-2', 'quick-3']) {
        await write(key)
        expect(await pass()).toContain(key)
      }
      await client.query(insert, ['slow'])
      await pass()
      await client.query('COMMIT')
    })
    expect(await pass()).toContain('slow')
  })

  test('reads a row of a transaction that was open before the feed was read at all', async () => {
    await prepare('oldest')
    cursor = null
    await inTransaction(async (client) => {
      await client.query(insert, ['oldest'])
      await write('younger')
      await pass()
      await write('youngest')
      await pass()
      await client.query('COMMIT')
    })
    expect(await pass()).toContain('oldest')
  })

  test('reads a row that was prepared in two phases, when it is committed', async () => {
    await prepare('two-phase')
    const name = `idemscope_${adapter}_${process.pid}_${Math.round(performance.now())}`
    await inTransaction(async (client) => {
      await client.query(insert, ['two-phase'])
      await write('beside-1')
      await pass()
      await client.query(`PREPARE TRANSACTION '${name}'`)
    })
    for (const key of ['beside-2', 'beside-3']) {
      await write(key)
      expect(await pass()).not.toContain('two-phase')
    }
    await service.query(`COMMIT PREPARED '${name}'`)
    expect(await pass()).toContain('two-phase')
  })

  test('reads little again: a pass over what did not change, beside a transaction that stays open', async () => {
    // Rows of one ms are one place: a fast machine writes many in one.
    for (let n = 0; n < 40; n++)
      await (layout.name.includes('by stamp') ? writeAt(`steady-${n}`, n - 40) : write(`steady-${n}`))
    await inTransaction(async (client) => {
      await client.query('SELECT now()')
      for (let n = 0; n < 3; n++) await pass(50)
      expect((await pass(50)).length).toBeLessThan(15)
    })
  })

  /** The engine's clock, for what the source and the service ask it. */
  async function stepClock(seconds: number): Promise<void> {
    const name = new URL(database.url).pathname.slice(1)
    const stepped = (clockName: string) =>
      service.query(`CREATE OR REPLACE FUNCTION fake.${clockName}() RETURNS timestamptz LANGUAGE sql
        AS $$SELECT pg_catalog.${clockName}() + interval '${seconds} s'$$`)
    await service.query('CREATE SCHEMA IF NOT EXISTS fake')
    await stepped('statement_timestamp')
    await stepped('clock_timestamp')
    await service.query(`ALTER DATABASE ${name} SET search_path = fake, pg_catalog, public`)
    await source.close()
    source = openAdapter(adapter, config, { url: database.url }, { demo: false, clock })
  }
  /** Writes a row that is stamped so far from now. */
  async function writeAt(key: string, seconds: number): Promise<void> {
    await write(key)
    const [, table = '', columns = ''] = /INSERT INTO (\w+) \(([^)]*)\)/.exec(insert) ?? []
    const name = columns.split(', ').find((column) => /key$|^ref$/.test(column))
    const step = layout.name.endsWith('in ms') ? `${seconds * 1000}` : `interval '${seconds} s'`
    const at = table === 'posting' ? 'booked_at' : 'created_at'
    await service.query(`UPDATE ${table} SET ${at} = ${at} + ${step} WHERE ${name} = $1`, [key])
  }

  test.runIf(layout.name.includes('by stamp'))(
    'reads what was stamped by a clock that had gone back',
    async () => {
      await pass()
      await writeAt('stepped-back', -600)
      await stepClock(-600)
      expect(await pass()).toContain('stepped-back')
      // Gone back by less than what has passed since the last pass: only our own clock tells.
      await pass()
      oursAheadMs = 1_200_000
      await writeAt('stepped-less', -700)
      await stepClock(300)
      expect(await pass()).toContain('stepped-less')
      // Ahead for a while, and put right.
      await writeAt('ahead', 3_600)
      await stepClock(3_600)
      expect(await pass()).toContain('ahead')
      await write('put-right')
      await stepClock(0)
      expect(await pass()).toContain('put-right')
    },
  )
})

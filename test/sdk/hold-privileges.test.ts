import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '@/sdk/clock'
import { grantsForConsole } from '@/sdk/stores/grants'
import { createPostgresStore } from '@/sdk/stores/postgres'
import { migrateStore } from '@/sdk/stores/postgres/migrate'
import { createEmptyDatabase } from '../support/database'
import { liftHold, placeHold } from './holds-fixture'
import { createMigrationsFolder } from './migrations-folder'
import {
  acquireRequest,
  createStoreFixture,
  idempotentOn,
  openPool,
  postJson,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture()
  await fixture.store.acquire(acquireRequest('seen'))
})
afterAll(() => fixture.close())

/** Runs as a role that may do nothing yet. */
async function asRole(
  pool: pg.Pool,
  grant: (role: string) => string[],
  work: (client: pg.PoolClient) => Promise<void>,
) {
  const role = `role_${randomUUID().replaceAll('-', '')}`
  await pool.query(`CREATE ROLE ${role}`)
  for (const sql of grant(role)) await pool.query(sql)
  const client = await pool.connect()
  try {
    await client.query(`SET ROLE ${role}`)
    await work(client)
  } finally {
    await client.query('RESET ROLE')
    client.release()
    await pool.query(`DROP OWNED BY ${role}`)
    await pool.query(`DROP ROLE ${role}`)
  }
}
const queryOf = (client: pg.PoolClient) => ({
  query: async <Row extends pg.QueryResultRow>(sql: string, values: unknown[] = []) =>
    (await client.query<Row>(sql, values)).rows,
})

describe('placing a hold by mistake', () => {
  const minute = 60_000
  const fromNow = (ms: number) => new Date(Date.now() + ms)
  it.each([
    ['an end in the past', 'store', { endsAt: fromNow(-minute) }, 'past'],
    ['no time at all', 'store', { lastsMs: 0 }, 'past'],
    ['more than a day', 'store', { endsAt: fromNow(25 * 60 * minute) }, 'too_long'],
    ['more than a day of milliseconds', 'store', { lastsMs: 24 * 60 * minute + 1 }, 'too_long'],
    ['a route that was never asked for', 'route', { route: 'POST /v1/paymants' }, 'unknown_route'],
    ['a step of such a route', 'step', { step: 'charge', route: 'POST /v1/paymants' }, 'unknown_route'],
    ['an unknown caller', 'caller', { caller: 'wab' }, 'unknown_caller'],
    ['a key of an unknown scope', 'key', { scope: 'wab/POST /v1/payments', key: 'k' }, 'unknown_scope'],
  ])('%s is refused: %s', async (_what, kind, input, said) => {
    expect((await placeHold(fixture, kind, input)).said).toBe(said)
    expect(await fixture.query('SELECT FROM idem_hold')).toEqual([])
  })

  it.each([
    ['a kind that there is not', 'everything', {}],
    ['a route without its name', 'route', {}],
    ['a store with a caller', 'store', { caller: 'web' }],
    ['a key without its scope', 'key', { key: 'k' }],
    ['a reason of a word', 'store', { reason: 'because' }],
    ['an id that could be read two ways', 'store', { id: 'a b' }],
  ])('%s breaks a constraint', async (_what, kind, input) => {
    await expect(placeHold(fixture, kind, input)).rejects.toMatchObject({ code: '23514' })
  })

  it('takes the same hold twice as one, and no other under its id', async () => {
    const first = await placeHold(fixture, 'route', { route: 'POST /v1/payments' })
    const { id } = first
    expect([
      first.said,
      (await placeHold(fixture, 'route', { id, route: 'POST /v1/payments' })).said,
    ]).toEqual(['placed', 'placed'])
    expect((await placeHold(fixture, 'store', { id })).said).toBe('id_used')
    expect(await fixture.query('SELECT FROM idem_hold')).toHaveLength(1)
    // Lifted, it does not come back when a late statement asks for it again.
    await liftHold(fixture, id)
    expect((await placeHold(fixture, 'route', { id, route: 'POST /v1/payments' })).said).toBe('placed')
    expect(await fixture.query('SELECT idem_holds() AS holds')).toEqual([{ holds: null }])
    await fixture.query('DELETE FROM idem_hold')
  })

  it('stops at 500 in force, so that a read stays small', async () => {
    await fixture.query(`
      INSERT INTO idem_hold (placed_at, ends_at, hold_id, kind, step, reason, placed_by)
      SELECT now(), now() + interval '1 hour', 'h' || i, 'step', 's' || i, 'ten letters', 'test' FROM generate_series(1, 500) i`)
    expect((await placeHold(fixture, 'store')).said).toBe('too_many')
    await fixture.query('DELETE FROM idem_hold')
  })
})

describe('roles', () => {
  it('the console’s may place and lift through functions, and write nothing itself', async () => {
    await asRole(
      fixture.pool,
      (role) => [grantsForConsole({ role })],
      async (client) => {
        const { id, said } = await placeHold(queryOf(client), 'store')
        expect([said, await liftHold(queryOf(client), id)]).toEqual(['placed', 'lifted'])
        expect((await client.query('SELECT hold_id FROM idem_hold')).rows).toEqual([{ hold_id: id }])
        for (const sql of [
          `UPDATE idem_hold SET lifted_at = NULL, lifted_by = NULL, lift_reason = NULL`,
          'DELETE FROM idem_hold',
          `INSERT INTO idem_hold SELECT * FROM idem_hold`,
          'ALTER TABLE idem_hold DISABLE TRIGGER ALL',
        ])
          await expect(client.query(sql), sql).rejects.toMatchObject({ code: '42501' })
      },
    )
  })

  it('anybody else may neither place nor lift', async () => {
    await asRole(
      fixture.pool,
      () => [],
      async (client) => {
        await expect(placeHold(queryOf(client), 'store')).rejects.toMatchObject({ code: '42501' })
        await expect(liftHold(queryOf(client), 'x')).rejects.toMatchObject({ code: '42501' })
      },
    )
  })
})

describe('a store of migration 0001', () => {
  const folder = createMigrationsFolder((name) => name <= '0001_first.sql')
  const wrap = idempotentOn(() => fixture)

  it('has no holds, until it is migrated while its service runs', async () => {
    const database = await createEmptyDatabase()
    const pool = openPool(database.url, 4)
    await migrateStore({ pool, schema: 'public', clock: systemClock, waitMs: 1_000, folder })
    const role = `service_${randomUUID().replaceAll('-', '')}`
    const owner = createPostgresStore({ pool })
    await owner.registerTier('default', 3_600_000)
    // A service that does not own its tables, set up before there were holds.
    await pool.query(`CREATE ROLE ${role};
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ${role};
      GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO ${role};
      GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO ${role}`)
    const url = new URL(database.url)
    url.searchParams.set('options', `-c role=${role}`)
    const servicePool = openPool(url.href, 2)
    const errors: unknown[] = []
    const store = createPostgresStore({ pool: servicePool, onHoldError: (error) => void errors.push(error) })
    try {
      // The grants of this version give what there is.
      await asRole(
        pool,
        (role) => [grantsForConsole({ role })],
        async (client) => {
          await client.query('SELECT FROM idem_lease')
        },
      )
      const handle = wrap(() => new Response(null, { status: 201 }), { store })
      const post = () => handle(postJson({}, { 'idempotency-key': randomUUID() }))
      expect((await post()).status).toBe(201)
      await owner.migrate()
      await placeHold({ query: async (sql, values = []) => (await pool.query(sql, values)).rows }, 'store')
      await expect.poll(async () => (await post()).status).toBe(503)
      expect(errors).toEqual([])
    } finally {
      store.close()
      owner.close()
      await servicePool.end()
      await pool.query(`DROP OWNED BY ${role}`)
      await pool.query(`DROP ROLE ${role}`)
      await pool.end()
      await database.close()
    }
  })
})

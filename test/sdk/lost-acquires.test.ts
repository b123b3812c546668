import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { IdempotentHandler } from '@/sdk/idempotent'
import { createPostgresStore, type PostgresStore } from '@/sdk/stores/postgres'
import { type BreakingFixture, createBreakingFixture } from './breaking-fixture'
import { acquireRequest, expireLease, holderOf, idempotentOn, leaseState, postJson } from './support'

let fixture: BreakingFixture
let proxy: BreakingFixture['proxy']
/** Behind the proxy. */
let store: PostgresStore
let serial = 0
let key = ''
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createBreakingFixture()
  ;({
    proxy,
    through: { store },
  } = fixture)
})
beforeEach(() => {
  key = `key-${++serial}`
})
afterAll(() => fixture.close())

const send = (handler: IdempotentHandler<pg.PoolClient>, over = {}) =>
  wrap(handler, { store, ...over })(postJson({}, { 'idempotency-key': key }))

const leaseOf = async () =>
  (
    await fixture.query<{ fence: string; attempts: number; leftMs: number }>(
      `SELECT fence::text, attempts, (extract(epoch FROM lease_until - clock_timestamp()) * 1000)::int AS "leftMs"
       FROM idem_lease WHERE key = idem_key_bytes($1)`,
      [key],
    )
  )[0]

describe.each(['after', 'before', 'half'] as const)('an acquire whose connection breaks (%s)', (how) => {
  it('goes on at once, once, with one fence', async () => {
    const runs: { attempt: number; attempts: number | undefined; leftMs: number | undefined }[] = []
    proxy.breakAt(how, 'idem_acquire')
    const answer = await send(async (_request, context) => {
      const lease = await leaseOf()
      runs.push({ attempt: context.attempt, attempts: lease?.attempts, leftMs: lease?.leftMs })
      return Response.json({}, { status: 201 })
    })
    expect([answer.status, proxy.broken()]).toEqual([201, 1])
    expect(runs).toMatchObject([{ attempt: 1, attempts: 1 }])
    expect(await leaseState(fixture, key)).toBeNull()
    const replayed = await send(() => {
      throw new Error('it is executed again')
    })
    expect([replayed.status, replayed.headers.get('idempotent-replayed')]).toEqual([201, 'true'])
  })

  it('takes over what an earlier attempt left, and keeps its steps', async () => {
    const first = acquireRequest(key)
    const holder = holderOf(first, await fixture.store.acquire(first))
    await fixture.store.checkpoint(holder, 'reserved', { seat: 7 })
    await fixture.store.abandon(holder)
    proxy.breakAt(how, 'idem_acquire')
    const taken = await store.acquire(acquireRequest(key))
    expect(taken).toMatchObject({ kind: 'takeover', attempt: 2, recoveryPoint: 'reserved' })
    expect(taken).toMatchObject({ steps: [{ step: 'reserved', result: { seat: 7 } }] })
    expect(proxy.broken()).toBe(1)
  })

  it('is no way in for another: who comes meanwhile is told that it is being worked on', async () => {
    let open = () => {}
    const opened = new Promise<void>((done) => {
      open = done
    })
    proxy.breakAt(how, 'idem_acquire')
    const answer = send(async () => {
      await opened
      return Response.json({}, { status: 201 })
    })
    await expect.poll(() => leaseState(fixture, key)).toBe('L')
    const others = await Promise.all([1, 2, 3].map(() => send(() => Response.json({}))))
    expect(others.map(({ status }) => status)).toEqual([409, 409, 409])
    open()
    expect((await answer).status).toBe(201)
  })
})

/** The statement itself, as it arrives when its connection has broken: at any later time. */
async function acquireAgain(acquireId: string) {
  const [row] = await fixture.query<{ kind: string; fence: string }>(
    `SELECT kind, fence::text FROM idem_acquire('web/POST /v1/payments', $1, 1::smallint, $2, 'test', 10000, NULL, $3)`,
    [key, Buffer.alloc(16, 1), acquireId],
  )
  return row
}

describe('the same acquire once more', () => {
  const acquireId = randomUUID()

  it('has its lease for its whole length again, with the fence that it had', async () => {
    const first = await acquireAgain(acquireId)
    await fixture.query(
      `UPDATE idem_lease SET lease_until = clock_timestamp() + interval '1 s' WHERE key = idem_key_bytes($1)`,
      [key],
    )
    expect(await acquireAgain(acquireId)).toEqual({ kind: 'acquired', fence: first?.fence })
    expect((await leaseOf())?.leftMs).toBeGreaterThan(9_000)
    await expireLease(fixture, key)
    expect(await acquireAgain(acquireId)).toEqual({ kind: 'acquired', fence: first?.fence })
  })

  it('does not take the lease from who has taken it over', async () => {
    await acquireAgain(acquireId)
    await expireLease(fixture, key)
    const other = await fixture.store.acquire(acquireRequest(key))
    expect(other.kind).toBe('takeover')
    expect(await acquireAgain(acquireId)).toMatchObject({ kind: 'in_progress' })
    // Also of one that knows no such id: an SDK from before it.
    await expireLease(fixture, key)
    await fixture.query(
      `SELECT FROM idem_acquire('web/POST /v1/payments', $1, 1::smallint, $2, 'test', 10000, NULL)`,
      [key, Buffer.alloc(16, 1)],
    )
    expect(await acquireAgain(acquireId)).toMatchObject({ kind: 'in_progress' })
  })

  it('takes nothing that its own attempt has let go or ended', async () => {
    const holder = { ...acquireRequest(key), fence: BigInt((await acquireAgain(acquireId))?.fence ?? 0) }
    await fixture.store.checkpoint(holder, 'reserved', {})
    await fixture.store.abandon(holder)
    expect(await acquireAgain(acquireId)).toMatchObject({ kind: 'in_progress' })
    expect(await leaseState(fixture, key)).toBe('R')
    const next = acquireRequest(key)
    const taken = holderOf(next, await fixture.store.acquire(next))
    await fixture.store.complete(taken, { status: 201, headers: [], body: new Uint8Array() })
    expect(await acquireAgain(acquireId)).toMatchObject({ kind: 'replay' })
    expect(await leaseState(fixture, key)).toBeNull()
  })
})

it('two statements of one acquire at the same time are one attempt', async () => {
  // Somebody's insert of the same key, undone in the end: both wait for it.
  const blocker = await fixture.pool.connect()
  await blocker.query('BEGIN')
  await blocker.query(
    `SELECT FROM idem_acquire('web/POST /v1/payments', $1, 1::smallint, $2, 'other', 10000, NULL)`,
    [key, Buffer.alloc(16, 1)],
  )
  const acquireId = randomUUID()
  const both = Promise.all([acquireAgain(acquireId), acquireAgain(acquireId)])
  const waiting = () =>
    fixture.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
  await expect.poll(async () => (await waiting()).length).toBe(2)
  await blocker.query('ROLLBACK')
  blocker.release()
  const [one, other] = await both
  expect([one?.kind, other?.kind, one?.fence === other?.fence]).toEqual(['acquired', 'acquired', true])
  expect((await leaseOf())?.attempts).toBe(1)
})

it('while the store is gone it says so within seconds, and runs nothing', async () => {
  const single = new pg.Pool({ connectionString: proxy.url, max: 1 })
  single.on('error', () => {})
  const store = createPostgresStore({ pool: single })
  const never = () => {
    throw new Error('it is executed')
  }
  await store.ensurePartitions('default')
  proxy.breakAt('after', 'idem_acquire')
  proxy.refuse(true)
  expect([(await send(never, { store })).status, proxy.broken()]).toEqual([503, 1])
  proxy.refuse(false)
  store.close()
  await single.end()
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { idempotent } from '@/sdk/idempotent'
import { createPostgresStore } from '@/sdk/stores/postgres'
import {
  acquireRequest,
  createStoreFixture,
  expireLease,
  holderOf,
  KEY_SECRET,
  okResponse,
  openPool,
  postJson,
  type StoreFixture,
} from './support'

const RACERS = 200
const ROUNDS = 5

let fixture: StoreFixture
beforeAll(async () => {
  fixture = await createStoreFixture(40)
})
afterAll(() => fixture.close())

it(`${RACERS} racers on one key execute once, in each of ${ROUNDS} rounds`, async () => {
  const startedMs = performance.now()
  for (let round = 0; round < ROUNDS; round += 1) {
    let executions = 0
    const handle = idempotent(
      async () => {
        executions += 1
        return Response.json({ round }, { status: 201 })
      },
      {
        store: fixture.store,
        keySecret: KEY_SECRET,
        scope: () => ({ caller: `web${round}`, route: '/v1/payments' }),
        waitMs: 20_000,
      },
    )
    const answers = await Promise.all(
      Array.from({ length: RACERS }, () => handle(postJson({ round }, { 'idempotency-key': '"one"' }))),
    )
    expect(executions).toBe(1)
    expect(answers.filter((answer) => answer.headers.get('idempotent-replayed') === 'true')).toHaveLength(
      RACERS - 1,
    )
    expect(new Set(await Promise.all(answers.map((answer) => answer.text()))).size).toBe(1)
  }
  console.log(
    `race: ${RACERS * ROUNDS} racers, ${ROUNDS} executions, ${((performance.now() - startedMs) / 1000).toFixed(2)} s`,
  )
})

it('racers of an expired lease: one takes over, with a higher fence', async () => {
  const request = acquireRequest('expired')
  const first = await fixture.store.acquire(request)
  await expireLease(fixture, 'expired')
  const answers = await Promise.all(Array.from({ length: RACERS }, () => fixture.store.acquire(request)))
  const takeovers = answers.filter((answer) => answer.kind === 'takeover')
  expect(takeovers).toHaveLength(1)
  expect(answers.filter((answer) => answer.kind === 'in_progress')).toHaveLength(RACERS - 1)
  expect(holderOf(request, takeovers[0] ?? first).fence).toBeGreaterThan(holderOf(request, first).fence)
})

it('whoever holds a key later has the higher fence, however slow its insert was', async () => {
  // Triggers come after the values: this insert has drawn its fence when it stops.
  await fixture.query(`
    CREATE FUNCTION stop_slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.owner = 'slow' THEN PERFORM pg_advisory_xact_lock(4242); END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER stop_slow BEFORE INSERT ON idem_lease FOR EACH ROW EXECUTE FUNCTION stop_slow()`)
  const gate = await fixture.pool.connect()
  await gate.query('SELECT pg_advisory_lock(4242)')
  const waiting = async () =>
    (await fixture.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`)).length
  const [slow, quick] = ['slow', 'quick'].map((owner) => acquireRequest('slow-insert', { owner }))
  if (slow === undefined || quick === undefined) throw new Error('two requests')
  const slowly = fixture.store.acquire(slow)
  await expect.poll(waiting).toBe(1)
  let answered = false
  const quickly = fixture.store.acquire(quick).finally(() => {
    answered = true
  })
  await expect.poll(async () => answered || (await waiting()) === 2).toBe(true)
  if (answered) await fixture.store.giveBack(holderOf(quick, await quickly))
  await gate.query('SELECT pg_advisory_unlock(4242)')
  gate.release()
  const first = await quickly
  const { fence } = holderOf(slow, await slowly)
  if (first.kind === 'acquired') expect(fence).toBeGreaterThan(first.fence)
  else expect(first).toMatchObject({ kind: 'in_progress', fence })
  await fixture.query('DROP TRIGGER stop_slow ON idem_lease')
})

it('takeover and the beginning of an effect exclude each other', async () => {
  for (let turn = 0; turn < 60; turn += 1) {
    const request = acquireRequest(`begin-${turn}`)
    const zombie = holderOf(request, await fixture.store.acquire(request))
    await expireLease(fixture, request.key)
    const [begun, retry] = await Promise.all([
      fixture.store.beginEffect(zombie, {
        step: 'charge',
        name: 'charge',
        kind: 'http',
        providerKey: null,
        leaseMs: 1,
      }),
      fixture.store.acquire(request),
    ])
    // Either the effect began first, and nobody took the key over; or it was refused.
    expect(begun.kind === 'begun').toBe(retry.kind !== 'takeover')
  }
})

it('a stale holder writes nothing', async () => {
  const request = acquireRequest('zombie')
  const zombie = holderOf(request, await fixture.store.acquire(request))
  await expireLease(fixture, request.key)
  const holder = holderOf(request, await fixture.store.acquire(request))
  const { store } = fixture
  const effect = { step: 'charge', name: 'charge', kind: 'http', providerKey: 'p', leaseMs: 1000 } as const
  expect(await store.heartbeat(zombie, 1000)).toBe(false)
  expect(await store.complete(zombie, okResponse())).toBe('stale')
  expect(await store.giveBack(zombie)).toBe('stale')
  expect(await store.abandon(zombie)).toBe('stale')
  expect(await store.checkpoint(zombie, 'point', null)).toBe(false)
  expect(await store.beginEffect(zombie, effect)).toEqual({ kind: 'stale' })
  expect(await store.beginEffect(holder, effect)).toEqual({ kind: 'begun', providerKey: 'p' })
  expect(await store.settleEffect(zombie, 'charge', { state: 'failed' })).toBe(false)
  expect(await store.complete(holder, okResponse())).toMatchObject({ createdAt: expect.any(Date) })
  // Said again after a broken connection, the same completion is recognised.
  expect(await store.complete(holder, okResponse())).toMatchObject({ createdAt: expect.any(Date) })
  expect(await store.complete(zombie, okResponse())).toBe('stale')
})

it('a settled effect is settled once: the same end said again is taken, another one is not', async () => {
  const request = acquireRequest('settled-once')
  const holder = holderOf(request, await fixture.store.acquire(request))
  const { store } = fixture
  await store.beginEffect(holder, {
    step: 'charge',
    name: 'charge',
    kind: 'http',
    providerKey: 'p',
    leaseMs: 1000,
  })
  const done = {
    state: 'committed',
    reference: 'ch_1',
    amountMinor: 1050n,
    currency: 'USD',
    result: null,
  } as const
  expect(await store.settleEffect(holder, 'charge', done)).toBe(true)
  expect(await store.settleEffect(holder, 'charge', done)).toBe(true)
  expect(await store.settleEffect(holder, 'charge', { ...done, reference: 'ch_2' })).toBe(false)
  expect(await store.settleEffect(holder, 'charge', { state: 'failed' })).toBe(false)
  const [step] = await fixture.query(
    "SELECT state::text, reference FROM idem_step WHERE key = idem_key_bytes('settled-once')",
  )
  expect(step).toEqual({ state: 'C', reference: 'ch_1' })
})

it.each(['repeatable read', 'serializable'])('a %s caller is refused', async (isolation) => {
  const pool = openPool(fixture.url, 1, `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`)
  const store = createPostgresStore({ pool })
  await expect(store.acquire(acquireRequest('isolated'))).rejects.toThrow(/READ COMMITTED/)
  expect(await fixture.query("SELECT FROM idem_lease WHERE key = idem_key_bytes('isolated')")).toEqual([])
  store.close()
  await pool.end()
})

it('an old tier’s record is still found after the route has changed its tier', async () => {
  await fixture.store.registerTier('short', 60_000)
  const request = acquireRequest('moved')
  await fixture.store.complete(holderOf(request, await fixture.store.acquire(request)), okResponse())
  expect(await fixture.store.acquire({ ...request, tier: 'short' })).toMatchObject({
    kind: 'replay',
    status: 201,
  })
})

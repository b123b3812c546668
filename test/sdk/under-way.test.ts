import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { IdempotencyUsageError, StoreUnavailableError } from '@/sdk/errors'
import type { PostgresStore } from '@/sdk/stores/postgres'
import {
  createGate,
  createStoreFixture,
  expireLease,
  idempotentOn,
  leaseState,
  postJson,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
let serial = 0
let key = ''
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
  // COMMIT takes as long as the test holds this lock.
  await fixture.query(`CREATE TABLE booking (a int);
    CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON booking DEFERRABLE INITIALLY DEFERRED
      FOR EACH ROW EXECUTE FUNCTION wait_for_test()`)
})
beforeEach(() => {
  key = `key-${++serial}`
})
afterAll(() => fixture.close())

const post = (body: unknown = {}) => postJson(body, { 'idempotency-key': key })

/** The store, some of whose calls the test answers itself. */
const storeWith = (over: Partial<PostgresStore>): PostgresStore => ({ ...fixture.store, ...over })
const unavailable = () => new StoreUnavailableError('no answer')

describe('what the handler has not awaited', () => {
  it('a transaction that is being committed is the answer, first and replayed', async () => {
    const blocker = await fixture.pool.connect()
    await blocker.query('SELECT pg_advisory_lock(1)')
    const committing = createGate()
    const send = wrap(async (_request, context) => {
      void context.transaction(async (tx) => {
        await tx.query('INSERT INTO booking VALUES (1)')
        return Response.json({ by: 'transaction' }, { status: 201 })
      })
      await committing.promise
      return Response.json({ by: 'handler' }, { status: 503 })
    })
    const first = send(post())
    await expect
      .poll(() => fixture.query(`SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted`))
      .toHaveLength(1)
    committing.resolve()
    await blocker.query('SELECT pg_advisory_unlock(1)')
    blocker.release()
    const answers = [await first, await send(post())]
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      { by: 'transaction' },
      { by: 'transaction' },
    ])
  })

  it('an effect is settled before a transaction completes the key', async () => {
    const calling = createGate()
    const end = createGate()
    const send = wrap(async (_request, context) => {
      void context.effect('charge', { name: 'charge' }, async () => {
        calling.resolve()
        await end.promise
        return { reference: 'ch_1' }
      })
      await calling.promise
      const done = context.transaction(async () => Response.json({}, { status: 201 }))
      setTimeout(end.resolve, 50)
      return done
    })
    expect((await send(post())).status).toBe(201)
    const [{ effects } = { effects: [] }] = await fixture.query<{ effects: unknown[] }>(
      'SELECT effects FROM idem_body WHERE key = idem_key_bytes($1)',
      [key],
    )
    expect(effects).toMatchObject([{ step: 'charge', state: 'C', reference: 'ch_1' }])
  })
})

it('an effect with the name of a checkpoint is refused, and does not pass for done', async () => {
  let calls = 0
  const send = wrap(async (_request, context) => {
    if (context.attempt === 1) await context.checkpoint('charge', { seen: true })
    await context.effect('charge', { name: 'charge' }, async () => {
      calls += 1
      return { reference: 'ch_1' }
    })
    return Response.json({}, { status: 201 })
  })
  await expect(send(post())).rejects.toBeInstanceOf(IdempotencyUsageError)
  // The next attempt finds the checkpoint that the first one left.
  await expect(send(post())).rejects.toThrow('charge is a checkpoint')
  expect([calls, await leaseState(fixture, key)]).toEqual([0, 'R'])
})

it('an effect whose withdrawal is still under way is not begun again by this attempt', async () => {
  let calls = 0
  let late = async () => {}
  let answers = false
  const store = storeWith({
    beginEffect: (holder, effect) =>
      answers ? fixture.store.beginEffect(holder, effect) : Promise.reject(unavailable()),
    settleEffect(holder, step, end) {
      if (end.state !== 'not_called') return fixture.store.settleEffect(holder, step, end)
      // The statement waits in the server, longer than anybody waits for it.
      late = async () => void (await fixture.store.settleEffect(holder, step, end))
      return Promise.reject(unavailable())
    },
  })
  const send = wrap(
    async (_request, context) => {
      const charge = () =>
        context.effect('charge', { name: 'charge', providerKeyed: false }, async () => {
          calls += 1
          await late()
          return { reference: `ch_${calls}` }
        })
      const { reference } = await charge().catch((error) => {
        if (!(error instanceof StoreUnavailableError)) throw error
        answers = true
        return charge()
      })
      return Response.json({ reference }, { status: 201 })
    },
    { store },
  )
  expect((await send(post())).status).toBe(503)
  await late()
  const answer = await send(post())
  expect([answer.status, await answer.json(), calls]).toEqual([201, { reference: 'ch_1' }, 1])
})

it('a beginning that is given up does not take back one of the same step that was made after it', async () => {
  let begins = 0
  let calls = 0
  const lost = createGate()
  const store = storeWith({
    async beginEffect(holder, effect) {
      begins += 1
      if (begins > 1) return fixture.store.beginEffect(holder, effect)
      // Its connection is dead: nothing reaches the server, and nobody hears of that for a while.
      await lost.promise
      throw unavailable()
    },
  })
  const send = wrap(
    async (_request, context) => {
      const charge = () =>
        context.effect('charge', { name: 'charge', providerKeyed: false }, async () => {
          calls += 1
          lost.resolve()
          await new Promise((resolve) => setTimeout(resolve, 100))
          return { reference: `ch_${calls}` }
        })
      // The handler waits for it no longer than it likes, and tries once more.
      const given = context.attempt === 1 ? charge() : Promise.resolve()
      const made = charge()
      await given.catch(() => {})
      const { reference } = await made
      return Response.json({ reference }, { status: 201 })
    },
    { store },
  )
  const answers = [await send(post()), await send(post())]
  expect(answers.map(({ status }) => status)).toEqual([201, 201])
  expect([await answers[1]?.json(), calls]).toEqual([{ reference: 'ch_1' }, 1])
})

it('a refusal that the store does not take at once is given back all the same', async () => {
  let refusals = 2
  const store = storeWith({
    giveBack: (holder) => (refusals-- > 0 ? Promise.reject(unavailable()) : fixture.store.giveBack(holder)),
  })
  const send = wrap(
    async (request) => {
      const { amount } = (await request.json()) as { amount?: number }
      return new Response(null, { status: amount === undefined ? 422 : 201 })
    },
    { store },
  )
  expect((await send(post({}))).status).toBe(422)
  await expireLease(fixture, key)
  expect((await send(post({ amount: 1 }))).status).toBe(201)
})

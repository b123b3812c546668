import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EffectFailedError } from '@/sdk/errors'
import { type IdempotentHandler, type IdempotentOptions, idempotent } from '@/sdk/idempotent'
import {
  createGate,
  createStoreFixture,
  expireLease,
  KEY_SECRET,
  postJson,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
let serial = 0
const newKey = () => `key-${++serial}`

beforeAll(async () => {
  fixture = await createStoreFixture()
  await fixture.query('CREATE TABLE booking (id text)')
})
afterAll(() => fixture.close())

type Options = Partial<IdempotentOptions<PoolClient>>

const wrap = (handler: IdempotentHandler<PoolClient>, over: Options = {}) =>
  idempotent<PoolClient>(handler, {
    store: fixture.store,
    keySecret: KEY_SECRET,
    scope: () => ({ caller: 'web', route: '/v1/payments' }),
    ...over,
  })

const created = (body: unknown = { id: 1 }) =>
  Response.json(body, { status: 201, headers: { 'set-cookie': 'a=b', location: '/x' } })

const leaseState = async (key: string) => {
  const [row] = await fixture.query<{ state: string }>(
    'SELECT state FROM idem_lease WHERE key = idem_key_bytes($1)',
    [key],
  )
  return row?.state ?? null
}

describe('what ends how', () => {
  it.each([400, 401, 409, 422, 429])(
    'a returned %i is not stored: the lease is given back',
    async (status) => {
      const key = newKey()
      const refusing = wrap(() => new Response('no', { status }))
      expect((await refusing(postJson({}, { 'idempotency-key': key }))).status).toBe(status)
      expect(await leaseState(key)).toBeNull()
      const retry = await wrap((_request, context) => created(context.attempt))(
        postJson({ fixed: 1 }, { 'idempotency-key': key }),
      )
      expect(await retry.json()).toBe(1)
    },
  )

  it('a refusal after a step keeps the key retryable with its steps', async () => {
    const key = newKey()
    await wrap(async (_request, context) => {
      await context.checkpoint('priced', { cents: 5 })
      return new Response('busy', { status: 429 })
    })(postJson({}, { 'idempotency-key': key }))
    expect(await leaseState(key)).toBe('R')
    const retry = await wrap((_request, context) =>
      created([context.attempt, context.recoveryPoint, context.checkpointData('priced')]),
    )(postJson({}, { 'idempotency-key': key }))
    expect(await retry.json()).toEqual([2, 'priced', { cents: 5 }])
  })

  const charge =
    (reference = 'ch_1') =>
    async () => ({ reference, amountMinor: 100, currency: 'USD', result: { ok: true } })

  it('a throw before any effect is retryable and reaches the caller', async () => {
    const key = newKey()
    const bug = new Error('bug')
    await expect(
      wrap(() => {
        throw bug
      })(postJson({}, { 'idempotency-key': key })),
    ).rejects.toBe(bug)
    expect(await leaseState(key)).toBe('R')
    expect((await wrap(() => created())(postJson({}, { 'idempotency-key': key }))).status).toBe(201)
  })

  it('a throw after an effect is unknown: 409 until it is settled', async () => {
    const key = newKey()
    const failing = wrap(async (_request, context) => {
      await context.effect('charge', { name: 'stripe.charge' }, charge())
      throw new Error('after')
    })
    await expect(failing(postJson({}, { 'idempotency-key': key }))).rejects.toThrow('after')
    expect(await leaseState(key)).toBe('U')
    const retry = await failing(postJson({}, { 'idempotency-key': key }))
    expect([retry.status, retry.headers.get('retry-after')]).toEqual([409, '30'])
  })

  it('an effect that is known to have failed may be tried again', async () => {
    const key = newKey()
    let calls = 0
    const handle = wrap(async (_request, context) => {
      const done = await context.effect('charge', { name: 'stripe.charge' }, async () => {
        calls += 1
        if (calls === 1) throw new EffectFailedError('declined')
        return { reference: 'ch_2' }
      })
      return created(done.reference)
    })
    await expect(handle(postJson({}, { 'idempotency-key': key }))).rejects.toThrow('declined')
    expect(await leaseState(key)).toBe('R')
    expect(await (await handle(postJson({}, { 'idempotency-key': key }))).json()).toBe('ch_2')
  })

  it('a crashed holder with a committed effect is taken over, and the effect is not repeated', async () => {
    const key = newKey()
    let charges = 0
    const provider: string[] = []
    const stop = createGate<void>()
    const reached = createGate<void>()
    const serve = (crash: boolean) =>
      wrap(async (_request, context) => {
        const done = await context.effect('charge', { name: 'stripe.charge' }, async ({ idempotencyKey }) => {
          charges += 1
          provider.push(idempotencyKey)
          return { reference: 'ch_3', amountMinor: 1050n, currency: 'USD', result: { card: 'visa' } }
        })
        if (crash) {
          reached.resolve()
          await stop.promise
        }
        return created({ ...done, amountMinor: String(done.amountMinor) })
      })(postJson({}, { 'idempotency-key': key }))
    const zombie = serve(true)
    await reached.promise
    await expireLease(fixture, key)
    const retry = await serve(false)
    expect(await retry.json()).toEqual({
      reference: 'ch_3',
      amountMinor: '1050',
      currency: 'USD',
      result: { card: 'visa' },
      replayed: true,
    })
    expect(charges).toBe(1)
    expect(provider[0]).toMatch(/^[0-9a-f]{64}$/)
    stop.resolve()
    expect((await zombie).status).toBe(409)
    const [body] = await fixture.query<{ effects: unknown[] }>(
      'SELECT effects FROM idem_body WHERE key = idem_key_bytes($1)',
      [key],
    )
    expect(body?.effects).toMatchObject([
      { step: 'charge', name: 'stripe.charge', state: 'C', reference: 'ch_3', amountMinor: '1050' },
    ])
    expect(await fixture.query('SELECT FROM idem_step WHERE key = idem_key_bytes($1)', [key])).toEqual([])
  })

  it('a crashed holder with an unsettled effect is never taken over', async () => {
    const key = newKey()
    const stop = createGate<void>()
    const reached = createGate<void>()
    let charges = 0
    const handle = wrap(async (_request, context) => {
      await context.effect('charge', { name: 'stripe.charge' }, async () => {
        charges += 1
        reached.resolve()
        await stop.promise
        return { reference: 'ch_4' }
      })
      return created()
    })
    const slow = handle(postJson({}, { 'idempotency-key': key }))
    await reached.promise
    await expireLease(fixture, key)
    expect((await handle(postJson({}, { 'idempotency-key': key }))).status).toBe(409)
    expect(await leaseState(key)).toBe('U')
    // The holder lives after all, and nobody else acted: it may tell how it ended.
    stop.resolve()
    expect((await slow).status).toBe(201)
    expect((await handle(postJson({}, { 'idempotency-key': key }))).headers.get('idempotent-replayed')).toBe(
      'true',
    )
    expect(charges).toBe(1)
  })

  it('a hung handler ends in 503; its lease is left to expire and it may begin no effect', async () => {
    const key = newKey()
    const stop = createGate<void>()
    const late = createGate<unknown>()
    const handle = wrap(
      async (_request, context) => {
        await stop.promise
        expect(context.signal.aborted).toBe(true)
        await context.effect('charge', { name: 'stripe.charge' }, charge()).catch(late.resolve)
        return created()
      },
      { executionDeadlineMs: 20 },
    )
    const response = await handle(postJson({}, { 'idempotency-key': key }))
    expect(response.status).toBe(503)
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await leaseState(key)).toBe('L')
    stop.resolve()
    expect(await late.promise).toMatchObject({ name: 'StaleHolderError' })
    expect(await fixture.query('SELECT FROM idem_step WHERE key = idem_key_bytes($1)', [key])).toEqual([])
  })

  it('completes in the application’s transaction, or rolls back with it', async () => {
    const book = (key: string, status: number, fail = false) =>
      wrap((_request, context) =>
        context.transaction(async (tx) => {
          await tx.query('INSERT INTO booking VALUES ($1)', [key])
          if (fail) throw new Error('booking failed')
          return new Response(key, { status })
        }),
      )(postJson({}, { 'idempotency-key': key }))
    const [done, refused, failed] = [newKey(), newKey(), newKey()]
    expect((await book(done, 201)).status).toBe(201)
    expect((await book(done, 201)).headers.get('idempotent-replayed')).toBe('true')
    expect((await book(refused, 409)).status).toBe(409)
    await expect(book(failed, 201, true)).rejects.toThrow('booking failed')
    const rows = await fixture.query('SELECT id FROM booking WHERE id = ANY($1)', [[done, refused, failed]])
    expect(rows).toEqual([{ id: done }])
    expect([await leaseState(refused), await leaseState(failed)]).toEqual([null, 'R'])
  })

  it('rolls a zombie’s transaction back', async () => {
    const key = newKey()
    const stop = createGate<void>()
    const reached = createGate<void>()
    const serve = (zombie: boolean) =>
      wrap((_request, context) =>
        context.transaction(async (tx) => {
          await tx.query('INSERT INTO booking VALUES ($1)', [`${key}/${context.attempt}`])
          if (zombie) {
            reached.resolve()
            await stop.promise
          }
          return created(context.attempt)
        }),
      )(postJson({}, { 'idempotency-key': key }))
    const zombie = serve(true)
    await reached.promise
    await expireLease(fixture, key)
    expect(await (await serve(false)).json()).toBe(2)
    stop.resolve()
    expect((await zombie).status).toBe(409)
    expect(await fixture.query('SELECT id FROM booking WHERE id LIKE $1', [`${key}/%`])).toEqual([
      { id: `${key}/2` },
    ])
  })

  it('refuses an effect inside a transaction', async () => {
    const handle = wrap((_request, context) =>
      context.transaction(async () => {
        await context.effect('charge', { name: 'stripe.charge' }, charge())
        return created()
      }),
    )
    await expect(handle(postJson({}, { 'idempotency-key': newKey() }))).rejects.toMatchObject({
      name: 'IdempotencyUsageError',
    })
  })
})

import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EffectOptions, EffectOutput, IdempotencyContext } from '@/sdk/run/context'
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
const newKey = () => `key-${++serial}`
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

const circle: Record<string, unknown> = { a: 1 }
circle.self = circle
const deep = (levels: number) => {
  let value: unknown = 1
  for (let level = 0; level < levels; level += 1) value = [value]
  return value
}

/** What callers without types report, and what of it is kept. */
const ODD: Record<string, [reported: unknown, kept: Record<string, unknown>]> = {
  'an amount with a fraction': [{ amountMinor: 19.99 * 100 }, { amountMinor: null }],
  'an amount that is no number': [{ amountMinor: Number.NaN }, { amountMinor: null }],
  'an amount as text': [{ amountMinor: '12' }, { amountMinor: null }],
  'an amount beyond 64 bits': [{ amountMinor: 2n ** 63n }, { amountMinor: null }],
  'an amount beyond a safe number': [{ amountMinor: 1e20 }, { amountMinor: null }],
  'a result with a bigint': [{ result: { id: 'x', big: 1n } }, { result: { id: 'x' } }],
  'a result that is a bigint': [{ result: 1n }, { result: null }],
  'a result with a circle': [{ result: circle }, { result: { a: 1 } }],
  'a result with a function': [{ result: { id: 'x', call: () => 1 } }, { result: { id: 'x' } }],
  'a result with what is no number': [{ result: [1, Number.POSITIVE_INFINITY] }, { result: [1, null] }],
  'a result with a NUL': [
    { result: { note: 'a\0b\\u0000', '\0': 1 } },
    { result: { note: 'a�b\\u0000', '�': 1 } },
  ],
  'a result with half a surrogate pair': [{ result: ['\ud83d', '😀'] }, { result: ['�', '😀'] }],
  'a result thousands of levels deep': [{ result: deep(100_000) }, { result: null }],
  'a result that PostgreSQL takes for too deep': [{ result: deep(7_000) }, { result: null }],
  'a result that throws when it is read': [
    {
      get result() {
        throw new Error('expired')
      },
    },
    { result: null },
  ],
  'a currency that is no text': [{ currency: { code: 'USD' } }, { currency: null }],
}

const charging =
  (calls: string[], reported: unknown, options: Partial<EffectOptions> = {}) =>
  (context: IdempotencyContext<PoolClient>) =>
    context.effect('charge', { name: 'stripe.charge', ...options }, async ({ idempotencyKey }) => {
      calls.push(idempotencyKey)
      return reported as EffectOutput<null>
    })

const stepOf = async (key: string) =>
  (await fixture.query('SELECT state, reference FROM idem_step WHERE key = idem_key_bytes($1)', [key]))[0]

describe.each(Object.entries(ODD))('an effect that reports %s', (_name, [reported, kept]) => {
  it('has happened: its reference is kept, the odd part is left out, and no retry does it again', async () => {
    const key = newKey()
    const calls: string[] = []
    const warnings: string[] = []
    const stop = createGate()
    const reached = createGate<unknown>()
    const withReference = Object.defineProperties(
      { reference: 'ch_1' },
      Object.getOwnPropertyDescriptors(reported),
    )
    const charge = charging(calls, withReference)
    const serve = (crash: boolean) =>
      wrap(
        async (_request, context) => {
          const done = await charge(context)
          reached.resolve(done)
          if (crash) await stop.promise
          return Response.json({ reference: done.reference, replayed: done.replayed })
        },
        { onUsageWarning: (warning) => warnings.push(warning.message) },
      )(postJson({}, { 'idempotency-key': key }))
    const crashed = serve(true)
    expect(await reached.promise).toMatchObject({ reference: 'ch_1', ...kept, replayed: false })
    expect(await stepOf(key)).toEqual({ state: 'C', reference: 'ch_1' })
    expect(warnings.join()).toMatch(/effect charge happened/)
    await expireLease(fixture, key)
    expect(await (await serve(false)).json()).toEqual({ reference: 'ch_1', replayed: true })
    expect(calls).toHaveLength(1)
    stop.resolve()
    await crashed
  })
})

it.each([
  ['nothing', undefined, null],
  ['a text', 'ch_1', null],
  ['a reference with a NUL', { reference: 'ch\0_1' }, 'ch�_1'],
  ['a reference that is a number', { reference: 4711 }, '4711'],
  ['a reference that is an object', { reference: { id: 'ch_1' } }, null],
])('an effect that reports %s has happened', async (_name, reported, reference) => {
  const key = newKey()
  const calls: string[] = []
  const answer = await wrap(
    async (_request, context) => {
      await charging(calls, reported)(context)
      return Response.json(await stepOf(key))
    },
    { onUsageWarning: () => {} },
  )(postJson({}, { 'idempotency-key': key }))
  expect(await answer.json()).toEqual({ state: 'C', reference })
})

it('a listener for warnings that throws changes nothing', async () => {
  const answer = await wrap(
    async (_request, context) => {
      await charging([], { reference: 'ch_1', amountMinor: 0.5 })(context)
      return new Response('charged', { status: 201 })
    },
    {
      onUsageWarning: () => {
        throw new Error('logger')
      },
    },
  )(postJson({}, { 'idempotency-key': newKey() }))
  expect(answer.status).toBe(201)
})

describe.each([
  [
    'throws',
    () => {
      throw new Error('bug')
    },
  ],
  ['gives a promise', async () => true],
])('an isFailure that %s', (_name, isFailure) => {
  it('does not make an unknown end a known failure, and the call’s own error is thrown on', async () => {
    const key = newKey()
    const timeout = new Error('timeout')
    const handle = wrap(
      async (_request, context) => {
        await context.effect(
          'charge',
          { name: 'stripe.charge', isFailure: isFailure as unknown as () => boolean },
          () => Promise.reject(timeout),
        )
        return new Response()
      },
      { onUsageWarning: () => {} },
    )
    await expect(handle(postJson({}, { 'idempotency-key': key }))).rejects.toBe(timeout)
    expect(await leaseState(fixture, key)).toBe('U')
    expect(await stepOf(key)).toMatchObject({ state: 'U' })
  })
})

it('odd checkpoints and reports after an effect do not end the request', async () => {
  const key = newKey()
  const warnings: string[] = []
  const answer = await wrap(
    async (_request, context) => {
      await charging([], { reference: 'ch_1' })(context)
      await context.checkpoint('charged', { note: 'a\0', big: 1n } as never)
      context.reportEffect({ name: 'mail.send', step: 'mail', amountMinor: Number.NaN })
      return Response.json(context.checkpointData('charged'), { status: 201 })
    },
    { onUsageWarning: (warning) => warnings.push(warning.message) },
  )(postJson({}, { 'idempotency-key': key }))
  expect([answer.status, await answer.json()]).toEqual([201, { note: 'a�' }])
  expect(warnings).toHaveLength(2)
})

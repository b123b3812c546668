import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPostgresStore } from '@/sdk/stores/postgres'
import type { OneEffect } from '@/sdk/stores/store'
import { startBreakingProxy } from './breaking-proxy'
import {
  acquireRequest,
  createStoreFixture,
  expireLease,
  holderOf,
  okResponse,
  openPool,
  type StoreFixture,
} from './support'

let fixture: StoreFixture
let oneEffect: OneEffect
beforeAll(async () => {
  fixture = await createStoreFixture()
  if (fixture.store.oneEffect === undefined) throw new Error('PostgreSQL has it')
  oneEffect = fixture.store.oneEffect
})
afterAll(() => fixture.close())

const EFFECT = { step: 'upstream', name: 'test.call', kind: 'http', providerKey: null } as const
const COMMITTED = {
  state: 'committed',
  reference: 'ch_1',
  amountMinor: 100n,
  currency: 'USD',
  result: { ok: true },
} as const

const stepsOf = (key: string) =>
  fixture.query<{ step: string; state: string }>(
    'SELECT step, state FROM idem_step WHERE key = idem_key_bytes($1)',
    [key],
  )

test('an acquire begins the effect, and the completion settles it', async () => {
  const request = acquireRequest(randomUUID())
  const { acquired, begun } = await oneEffect.acquire(request, EFFECT)
  expect([acquired.kind, begun]).toEqual(['acquired', { kind: 'begun', providerKey: null }])
  expect(await stepsOf(request.key)).toEqual([{ step: 'upstream', state: 'B' }])
  const completed = await oneEffect.complete(holderOf(request, acquired), okResponse(), 'upstream', COMMITTED)
  expect(completed).not.toBe('stale')
  const [body] = await fixture.query<{ effects: unknown }>(
    'SELECT effects FROM idem_body WHERE key = idem_key_bytes($1)',
    [request.key],
  )
  expect(body?.effects).toMatchObject([
    { step: 'upstream', state: 'C', reference: 'ch_1', amountMinor: '100', currency: 'USD' },
  ])
})

test('who does not get the lease begins nothing', async () => {
  const request = acquireRequest(randomUUID())
  const first = await oneEffect.acquire(request, EFFECT)
  const second = await oneEffect.acquire(request, { ...EFFECT, step: 'other' })
  expect([second.acquired.kind, second.begun]).toEqual(['in_progress', null])
  expect(await stepsOf(request.key)).toEqual([{ step: 'upstream', state: 'B' }])
  await oneEffect.complete(holderOf(request, first.acquired), okResponse(), 'upstream', COMMITTED)
  const replay = await oneEffect.acquire(request, EFFECT)
  expect([replay.acquired.kind, replay.begun]).toEqual(['replay', null])
  const other = await oneEffect.acquire({ ...request, fingerprint: Buffer.alloc(16, 9) }, EFFECT)
  expect([other.acquired.kind, other.begun]).toEqual(['mismatch', null])
  expect(await stepsOf(request.key)).toEqual([])
})

test('of many at once one begins', async () => {
  const request = acquireRequest(randomUUID())
  const answers = await Promise.all(Array.from({ length: 8 }, () => oneEffect.acquire(request, EFFECT)))
  expect(answers.filter(({ begun }) => begun !== null)).toHaveLength(1)
})

test('a lease that passed with the effect begun is unknown, and its holder may still complete', async () => {
  const request = acquireRequest(randomUUID())
  const { acquired } = await oneEffect.acquire(request, EFFECT)
  await expireLease(fixture, request.key)
  const next = await oneEffect.acquire({ ...request, owner: 'next' }, EFFECT)
  expect([next.acquired.kind, next.begun]).toEqual(['unknown', null])
  expect(await oneEffect.complete(holderOf(request, acquired), okResponse(), 'upstream', COMMITTED)).not.toBe(
    'stale',
  )
})

test('a stale holder neither settles nor completes', async () => {
  const request = acquireRequest(randomUUID())
  const { acquired } = await oneEffect.acquire(request, EFFECT)
  const stale = { ...holderOf(request, acquired), fence: 1n }
  expect(await oneEffect.complete(stale, okResponse(), 'upstream', COMMITTED)).toBe('stale')
  expect(await stepsOf(request.key)).toEqual([{ step: 'upstream', state: 'B' }])
})

test('an acquire whose answer was lost goes on with its own beginning', async () => {
  const proxy = await startBreakingProxy(fixture.url)
  const pool = openPool(proxy.url, 1)
  const store = createPostgresStore({ pool })
  // Prepares the connection, so that the next statement is the one that is lost.
  await store.oneEffect?.acquire(acquireRequest(randomUUID()), EFFECT)
  const request = acquireRequest(randomUUID())
  proxy.breakAt('after', request.scope)
  const answer = await store.oneEffect?.acquire(request, EFFECT)
  expect([answer?.acquired.kind, answer?.begun]).toEqual(['acquired', { kind: 'begun', providerKey: null }])
  expect(await stepsOf(request.key)).toEqual([{ step: 'upstream', state: 'B' }])
  store.close()
  await pool.end()
  await proxy.close()
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import { seal } from '@/lib/audit/seal'
import { verifyChain } from '@/lib/audit/verify/verify'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import type { KeyAction } from '@/lib/core/states'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { type LockView, listLocks } from '@/lib/locks/list-locks'
import { operateLocks } from '@/lib/locks/verbs/operate-locks'
import {
  acquire,
  beginCharge,
  charge,
  createFixture,
  type Fixture,
  killHolder,
  REASON,
  SCOPE,
  SETTINGS,
} from './locks-fixture'

let fixture: Fixture
let operator: Context
beforeAll(async () => {
  fixture = await createFixture()
  operator = await fixture.as('operator')
})
afterAll(() => fixture.close())

async function lockOf(key: string): Promise<LockView> {
  await checkLocks(fixture.system, undefined, SETTINGS)
  const { items } = await listLocks(fixture.console.db, { key }, { limit: 10 }, systemClock.now())
  const [lock] = items
  if (lock === undefined) throw new Error(`no lock of ${key}`)
  return lock
}

async function act(verb: KeyAction, lock: LockView, ctx: Context = operator) {
  const [result] = await operateLocks(
    ctx,
    verb,
    { ids: [lock.id], seen: { [lock.id]: lock.version }, reason: REASON },
    SETTINGS,
  )
  if (result === undefined) throw new Error('no result')
  return result
}

const auditOf = async (actionId: string | null) => {
  const rows = await fixture.console.db.prisma.auditEntry.findMany({
    where: { subject: actionId ?? '' },
    orderBy: { id: 'asc' },
  })
  return rows.map((row) => `${row.actor} ${row.verb} ${row.outcome}`)
}

test('a live holder is waited for, and no verb touches it', async () => {
  await acquire(fixture, 'live-1')
  const lock = await lockOf('live-1')
  expect(lock).toMatchObject({ state: 'leased', verdict: 'wait', holder: 'owner-live-1' })
  const result = await act('release', lock)
  expect(result).toMatchObject({ state: 'refused', reason: 'holder_alive' })
  expect(await auditOf(result.actionId)).toEqual([
    'operator lock.release intent',
    'operator lock.release refused',
  ])
})

test('a stuck key without an effect is released, and the retry executes once', async () => {
  const holder = await acquire(fixture, 'stuck-1')
  await beginCharge(fixture, holder)
  await killHolder(fixture, holder)
  const lock = await lockOf('stuck-1')
  expect(lock).toMatchObject({ state: 'lease_expired', verdict: 'release', providerAnswer: { kind: 'none' } })
  const result = await act('release', lock)
  expect(result).toMatchObject({ state: 'done', reason: null })
  expect(await auditOf(result.actionId)).toEqual([
    'operator lock.release intent',
    'operator lock.release done',
  ])

  // The zombie is shut out; the client's retry takes over with its steps.
  expect(await fixture.store.heartbeat(holder, 1000)).toBe(false)
  expect(await fixture.store.complete(holder, { status: 201, headers: [], body: new Uint8Array() })).toBe(
    'stale',
  )
  const retry = await acquire(fixture, 'stuck-1')
  expect(retry.fence).toBeGreaterThan(holder.fence)
})

test('a stuck key whose charge happened is completed: the retry replays the very answer', async () => {
  const holder = await acquire(fixture, 'charged-1')
  await beginCharge(fixture, holder)
  const chargeId = await charge(fixture, 'charged-1', 'order-77')
  await killHolder(fixture, holder)
  const lock = await lockOf('charged-1')
  expect(lock).toMatchObject({ verdict: 'complete', providerAnswer: { kind: 'found' } })
  expect(await act('release', lock)).toMatchObject({ state: 'refused', reason: 'effect_found' })
  expect(await act('fail', lock)).toMatchObject({ state: 'refused', reason: 'effect_found' })
  expect(await act('complete', lock)).toMatchObject({ state: 'done' })

  const retry = await fixture.store.acquire({
    scope: SCOPE,
    key: 'charged-1',
    tier: 'standard',
    fingerprint: new Uint8Array(16),
    owner: 'retry',
    leaseMs: 1000,
    traceId: null,
  })
  if (retry.kind !== 'replay') throw new Error(retry.kind)
  const body = JSON.parse(Buffer.from(retry.body).toString('utf8'))
  expect(retry.status).toBe(201)
  expect(body).toMatchObject({
    id: `pay_${chargeId.slice(3)}`,
    reference: 'order-77',
    charge: chargeId,
    amountMinor: '1050',
    currency: 'USD',
    status: 'succeeded',
  })
  expect(Object.keys(body)).toEqual([
    'id',
    'reference',
    'charge',
    'paymentIntent',
    'amountMinor',
    'currency',
    'status',
  ])
  const { items } = await listLocks(fixture.console.db, { key: 'charged-1' }, { limit: 1 }, systemClock.now())
  expect(items).toEqual([])
})

test('a route without a template is investigated, not completed', async () => {
  const scope = 'web/POST /v1/other'
  const acquired = await fixture.store.acquire({
    scope,
    key: 'other-1',
    tier: 'standard',
    fingerprint: new Uint8Array(16),
    owner: 'o',
    leaseMs: 60_000,
    traceId: null,
  })
  if (acquired.kind !== 'acquired') throw new Error(acquired.kind)
  const holder = { scope, key: 'other-1', fence: acquired.fence, owner: 'o', tier: 'standard' }
  await beginCharge(fixture, holder)
  await fixture.store.settleEffect(holder, 'charge', {
    state: 'committed',
    reference: await charge(fixture, 'elsewhere', 'order-1'),
    amountMinor: 1050n,
    currency: 'USD',
    result: null,
  })
  await killHolder(fixture, holder)
  const lock = await lockOf('other-1')
  expect(lock.verdict).toBe('investigate')
  expect(await act('complete', lock)).toMatchObject({ state: 'refused', reason: 'response_unknown' })
})

test('an effect without a provider key is never released', async () => {
  const holder = await acquire(fixture, 'unkeyed-1')
  await beginCharge(fixture, holder, null)
  await killHolder(fixture, holder)
  const lock = await lockOf('unkeyed-1')
  expect(lock.verdict).toBe('investigate')
  expect(await act('release', lock)).toMatchObject({ state: 'refused', reason: 'not_provider_keyed' })
})

test('past the provider’s window nothing is released', async () => {
  const holder = await acquire(fixture, 'old-1')
  await beginCharge(fixture, holder)
  await killHolder(fixture, holder)
  const settings = { ...SETTINGS, providerWindowMs: 0 }
  await checkLocks(fixture.system, undefined, settings)
  const { items } = await listLocks(fixture.console.db, { key: 'old-1' }, { limit: 1 }, systemClock.now())
  const [lock] = items
  if (lock === undefined) throw new Error('no lock')
  expect(lock.verdict).toBe('investigate')
  const [result] = await operateLocks(
    operator,
    'release',
    { ids: [lock.id], seen: { [lock.id]: lock.version }, reason: REASON },
    settings,
  )
  expect(result).toMatchObject({ state: 'refused', reason: 'window_passed' })
})

test('two charges on one key are for a person', async () => {
  const holder = await acquire(fixture, 'twice-1')
  await beginCharge(fixture, holder)
  await charge(fixture, 'twice-1', 'order-2', 'attempt-1')
  await charge(fixture, 'twice-1', 'order-2', 'attempt-2')
  await killHolder(fixture, holder)
  const lock = await lockOf('twice-1')
  expect(lock.verdict).toBe('investigate')
  expect(await act('complete', lock)).toMatchObject({ state: 'refused', reason: 'effect_ambiguous' })
})

test('a viewer may not, a reason is needed, ids need their versions', async () => {
  const holder = await acquire(fixture, 'rights-1')
  await killHolder(fixture, holder)
  const lock = await lockOf('rights-1')
  const seen = { [lock.id]: lock.version }
  await expect(act('release', lock, await fixture.as('viewer'))).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining('operator'),
  })
  await expect(
    operateLocks(operator, 'release', { ids: [lock.id], seen, reason: 'short' }),
  ).rejects.toMatchObject({ code: 'invalid' })
  await expect(
    operateLocks(operator, 'release', { ids: [lock.id], seen: {}, reason: REASON }),
  ).rejects.toMatchObject({ code: 'invalid' })
  await expect(
    operateLocks(operator, 'release', { ids: [lock.id], seen: { [lock.id]: 'stale' }, reason: REASON }),
  ).rejects.toMatchObject({ code: 'conflict' })
  expect(await fixture.console.db.prisma.action.count({ where: { key: 'rights-1' } })).toBe(0)
})

test('the kill switch stops every write, before and in the middle', async () => {
  const holder = await acquire(fixture, 'kill-1')
  await killHolder(fixture, holder)
  const lock = await lockOf('kill-1')
  const approver = await fixture.as('approver')
  await expect(setKillSwitch(operator, { on: true, reason: REASON })).rejects.toMatchObject({
    code: 'forbidden',
  })
  await setKillSwitch(approver, { on: true, reason: REASON })
  await expect(act('release', lock)).rejects.toMatchObject({ code: 'kill_switch' })
  await setKillSwitch(await fixture.as('admin'), { on: false, reason: REASON })
  expect(await act('release', lock)).toMatchObject({ state: 'done' })
})

test('a double click is one action', async () => {
  const holder = await acquire(fixture, 'double-1')
  await killHolder(fixture, holder)
  const lock = await lockOf('double-1')
  const results = await Promise.all([act('release', lock), act('release', lock)])
  expect(new Set(results.map((result) => result.actionId)).size).toBe(1)
  const again = await act('release', lock)
  expect(again).toMatchObject({ actionId: results[0]?.actionId, state: 'done' })
  expect(await auditOf(again.actionId)).toHaveLength(2)
})

test('the chain of all this holds', async () => {
  await seal(fixture.console.db, systemClock)
  expect(await verifyChain(fixture.console.db)).toMatchObject({ ok: true, unsealed: 0 })
})

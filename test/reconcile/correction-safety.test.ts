import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import { checkLocks } from '@/lib/locks/assess/check-locks'
import { listCases } from '@/lib/reconcile/cases/cases'
import { approve } from '@/lib/reconcile/corrections/approve'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { propose } from '@/lib/reconcile/corrections/propose'
import { acquire, begin, book, charge, complete, giveBack, killHolder, pay, settle } from './payments'
import { createWorld, REASON, ripen, SETTINGS, type World } from './world'

let world: World
let proposer: Awaited<ReturnType<World['as']>>
let approver: Awaited<ReturnType<World['as']>>

beforeAll(async () => {
  world = await createWorld()
  proposer = await world.as('operator', 'op')
  approver = await world.as('approver', 'appr')
})
afterAll(() => world.close())
beforeEach(() => world.provider.control.setSwitches({ serverError: { remaining: 0, effect: 'before' } }))

const KEYS = {
  settleDelayMs: SETTINGS.settleDelayMs,
  skewMs: SETTINGS.clockSkewMs,
  graceMs: SETTINGS.leaseGraceMs,
  callMs: 0,
  providerWindowMs: 86_400_000,
  askAgainMs: 0,
}

const cases = async (filter: Parameters<typeof listCases>[1]) =>
  (await listCases(world.system.db, filter, { limit: 10 })).items
const caseOf = async (filter: Parameters<typeof listCases>[1]) => {
  const [found] = await cases(filter)
  if (found === undefined) throw new Error(`no case of ${JSON.stringify(filter)}`)
  return found
}
const fix = (caseId: string, kind: Parameters<typeof propose>[1]['kind'], params = {}) =>
  propose(proposer, { caseId, kind, params, reason: REASON }, SETTINGS)
const decide = (action: { id: string; evidenceHash: string | null }) =>
  approve(approver, { actionId: action.id, evidenceHash: action.evidenceHash ?? '' }, SETTINGS)
const refundsOf = async (id: string) => (await world.stripe.refunds.list({ charge: id, limit: 100 })).data

async function doubled(reference: string) {
  const held = await acquire(world, { scope: 'web/POST /v1/legacy-payments' })
  const kept = await charge(world, held, { reference, providerKey: `${reference}-a` })
  const duplicate = await charge(world, held, { reference, providerKey: `${reference}-b` })
  await book(world, { ref: kept, reference })
  await complete(world, held, { reference, charge: kept })
  await ripen(world)
  return { caseId: (await caseOf({ reference })).id, kept, duplicate }
}

describe('nothing stays approved silently', () => {
  test('a provider that does not answer refuses the approval, and nothing was sent', async () => {
    const { caseId, duplicate } = await doubled('silent-1')
    const action = await fix(caseId, 'refund')
    world.provider.control.setSwitches({ serverError: { remaining: 50, effect: 'before', match: 'GET' } })
    expect(await decide(action)).toMatchObject({ state: 'refused', result: { reason: 'unavailable' } })
    world.provider.control.setSwitches({ serverError: { remaining: 0, effect: 'before' } })
    expect(await refundsOf(duplicate)).toHaveLength(0)
    expect(await decide(await fix(caseId, 'refund'))).toMatchObject({ state: 'done' })
  })
})

describe('refund cap under concurrency', () => {
  test('two actions on one charge, approved at once: never more than was captured', async () => {
    const { caseId, duplicate } = await doubled('cap-1')
    const { prisma } = world.system.db
    const first = await fix(caseId, 'refund', { charge: duplicate, amountMinor: '800' })
    // A second action on the same charge, as another case would propose it.
    const row = await prisma.action.findUniqueOrThrow({ where: { id: first.id } })
    const { id: _, supersedesId: __, ...copy } = row
    const second = await prisma.action.create({
      data: {
        ...copy,
        id: 'act_second',
        params: copy.params ?? {},
        seen: copy.seen ?? {},
        evidence: copy.evidence ?? {},
        result: {},
      },
    })
    const other = await world.as('approver', 'other')
    const ended = await Promise.all([
      decide(first),
      approve(other, { actionId: second.id, evidenceHash: second.evidenceHash ?? '' }, SETTINGS),
    ])
    expect(ended.map(({ state }) => state).sort()).toEqual(['done', 'refused'])
    const refunds = await refundsOf(duplicate)
    expect(refunds.reduce((sum, { amount }) => sum + amount, 0)).toBe(800)
  })

  test('what somebody else gave back in between is seen before the call', async () => {
    const { caseId, duplicate } = await doubled('cap-2')
    const action = await fix(caseId, 'refund')
    await world.stripe.refunds.create({ charge: duplicate, amount: 1000 })
    expect(await decide(action)).toMatchObject({ state: 'refused' })
    expect(await refundsOf(duplicate)).toHaveLength(1)
  })
})

test('kill switch: an unknown correction is not sent again while it is on', async () => {
  const { caseId, duplicate } = await doubled('kill-1')
  const action = await fix(caseId, 'refund')
  world.provider.control.setSwitches({
    serverError: { remaining: 1, effect: 'before', match: 'POST /v1/refunds' },
  })
  expect(await decide(action)).toMatchObject({ state: 'unknown' })
  await setKillSwitch(approver, { on: true, reason: 'provider looks wrong' })
  world.advance(10_000)
  expect(await settleCorrections(world.system, SETTINGS)).toBe(0)
  expect(await refundsOf(duplicate)).toHaveLength(0)
  await setKillSwitch(await world.as('admin', 'boss'), { on: false, reason: 'provider is fine again' })
  expect(await settleCorrections(world.system, SETTINGS)).toBe(1)
  expect(await refundsOf(duplicate)).toHaveLength(1)
})

describe('stuck keys are settled through their case', () => {
  test('stuck_effect_done: the key is completed with the recovered response', async () => {
    const held = await acquire(world)
    await begin(world, held)
    const id = await charge(world, held, { reference: 'stuck-1' })
    await settle(world, held, id, 1050)
    await book(world, { ref: id, reference: 'stuck-1' })
    await killHolder(world, held)
    await ripen(world)
    await checkLocks(world.system, undefined, KEYS)
    const { id: caseId, class: name } = await caseOf({ key: held.key })
    expect(name).toBe('stuck_effect_done')
    expect(await fix(caseId, 'complete')).toMatchObject({ kind: 'complete', state: 'done', caseId })
    const { rows } = await world.service.query(
      `SELECT state, status FROM idem_record WHERE key = idem_key_bytes($1)`,
      [held.key],
    )
    expect(rows).toMatchObject([{ state: 'C', status: 201 }])
    expect(await caseOf({ key: held.key })).toMatchObject({ lifecycle: 'resolved', resolution: 'corrected' })
  })

  test('stuck_no_effect: the key is released by its fencing token', async () => {
    const held = await acquire(world)
    // The store's clock is its own, and a lease must be older than what the provider may not show yet.
    await world.service.query(
      `UPDATE idem_lease SET created_at = created_at - interval '1 minute', heartbeat_at = heartbeat_at - interval '1 minute'
       WHERE key = idem_key_bytes($1)`,
      [held.key],
    )
    await killHolder(world, held)
    await ripen(world)
    await checkLocks(world.system, undefined, KEYS)
    const { id: caseId, class: name } = await caseOf({ key: held.key })
    expect(name).toBe('stuck_no_effect')
    await expect(fix(caseId, 'complete')).rejects.toMatchObject({ code: 'unprocessable' })
    expect(await fix(caseId, 'release')).toMatchObject({ kind: 'release', state: 'done' })
    expect(await caseOf({ key: held.key })).toMatchObject({ lifecycle: 'resolved', resolution: 'corrected' })
  })
})

describe('refunds that did not arrive', () => {
  test('refund_failed: sent again for its amount; the case closes', async () => {
    const paid = await pay(world, 'again-1')
    const { refund } = await giveBack(world, paid)
    await world.provider.control.failRefund(refund)
    await ripen(world)
    const { id, class: name } = await caseOf({ class: ['refund_failed'], reference: 'again-1' })
    expect(name).toBe('refund_failed')
    const action = await fix(id, 'refund')
    expect(action).toMatchObject({ charge: paid.charge, amount: { minor: '500' } })
    expect(await decide(action)).toMatchObject({ state: 'done' })
    expect(await caseOf({ class: ['refund_failed'], reference: 'again-1' })).toMatchObject({
      resolution: 'corrected',
    })
  })

  test('refund_unsent: what was booked as given back is sent', async () => {
    const paid = await pay(world, 'again-2')
    await book(world, {
      kind: 'refund',
      ref: 're_never',
      charge: paid.charge,
      reference: 'again-2',
      amount: 300,
    })
    await ripen(world)
    const { id, class: name } = await caseOf({ reference: 'again-2' })
    expect(name).toBe('refund_unsent')
    expect(await decide(await fix(id, 'refund'))).toMatchObject({ state: 'done' })
    expect((await refundsOf(paid.charge)).map(({ amount }) => amount)).toEqual([300])
    expect(await caseOf({ reference: 'again-2' })).toMatchObject({ resolution: 'corrected' })
  })
})

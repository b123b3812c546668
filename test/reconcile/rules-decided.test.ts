import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { listCases } from '@/lib/reconcile/cases/cases'
import { approveRules, rejectRules, withdrawRules } from '@/lib/reconcile/rules/decide-rules'
import { proposeRules } from '@/lib/reconcile/rules/propose-rules'
import { readRules } from '@/lib/reconcile/rules/rules'
import { pay } from './payments'
import { createWorld, REASON, reconcileNow, SETTINGS, type World } from './world'

let world: World
let operator: Context
let approver: Context

beforeAll(async () => {
  world = await createWorld()
  operator = await world.as('operator')
  approver = await world.as('approver')
  await pay(world, 'near', { bookAs: 1053 })
  await pay(world, 'far', { bookAs: 1059 })
  world.advance(30_000)
  await reconcileNow(world)
})
afterAll(() => world.close())

const CENTS = [{ name: 'cents', when: { currency: 'usd' }, amountMinor: '5' }]
const open = async () => {
  const { items } = await listCases(world.system.db, { lifecycle: ['new', 'persisting'] }, { limit: 10 })
  return items.map(({ subject }) => subject.reference).sort()
}
const propose = (rules: Parameters<typeof proposeRules>[1]['rules'], version: number, by = operator) =>
  proposeRules(by, { rules, version, reason: REASON }, SETTINGS)
const seen = (action: { id: string; evidenceHash: string | null }) => ({
  actionId: action.id,
  evidenceHash: action.evidenceHash ?? '',
})

test('a proposal says which open cases it would excuse, and changes nothing', async () => {
  expect(await open()).toEqual(['far', 'near'])
  const action = await propose(CENTS, 0)
  expect(action).toMatchObject({
    state: 'proposed',
    evidence: {
      before: [],
      preview: { looked: 2, more: false, excused: 1, samples: [{ subject: { reference: 'near' } }] },
    },
  })
  expect((await readRules(world.system.db)).version).toBe(0)
  await expect(propose(CENTS, 1)).rejects.toMatchObject({ code: 'conflict' })
  await expect(propose(CENTS, 0, await world.as('viewer'))).rejects.toMatchObject({ code: 'forbidden' })
  await expect(withdrawRules(approver, { actionId: action.id, reason: REASON })).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect(await withdrawRules(operator, { actionId: action.id, reason: REASON })).toMatchObject({
    state: 'rejected',
    result: { withdrawn: true },
  })
})

test('never approved by its proposer; by two at once it is in force once, and the next run applies it', async () => {
  const action = await propose(CENTS, 0)
  const other = await propose([], 0)
  await expect(approveRules(operator, seen(action))).rejects.toMatchObject({ code: 'forbidden' })
  const mine = await propose(CENTS, 0, approver)
  await expect(approveRules(approver, seen(mine))).rejects.toMatchObject({ code: 'forbidden' })
  await expect(approveRules(approver, { actionId: action.id, evidenceHash: 'other' })).rejects.toMatchObject({
    code: 'conflict',
  })
  const both = await Promise.allSettled([1, 2].map(() => approveRules(approver, seen(action))))
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await readRules(world.system.db)).toMatchObject({
    version: 1,
    rules: [{ name: 'cents', when: { currency: 'USD' } }],
  })
  // What it would replace is another list now.
  await expect(approveRules(approver, seen(other))).rejects.toMatchObject({ code: 'conflict' })
  expect(await rejectRules(approver, { actionId: other.id, reason: REASON })).toMatchObject({
    state: 'rejected',
  })
  await reconcileNow(world)
  expect(await open()).toEqual(['far'])
})

test('retired, it excuses nothing more; each step stands in the audit', async () => {
  const retired = await propose([], 1)
  expect(retired).toMatchObject({ evidence: { preview: { excused: 0 } } })
  await approveRules(approver, seen(retired))
  expect((await readRules(world.system.db)).rules).toEqual([])
  const audit = await world.system.db.prisma.auditEntry.groupBy({
    by: ['verb'],
    where: { verb: { startsWith: 'reconciliation.rules' } },
    _count: true,
    orderBy: { verb: 'asc' },
  })
  expect(audit.map(({ verb, _count }) => [verb.split('.').at(-1), _count])).toEqual([
    ['approve', 2],
    ['propose', 5],
    ['reject', 1],
    ['withdraw', 1],
  ])
})

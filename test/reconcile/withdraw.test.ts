import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { getCase, listCases } from '@/lib/reconcile/cases/cases'
import { countCases } from '@/lib/reconcile/cases/count-cases'
import { readCaseSides } from '@/lib/reconcile/cases/read-case-sides'
import { propose } from '@/lib/reconcile/corrections/propose'
import { withdraw } from '@/lib/reconcile/corrections/withdraw'
import { pay } from './payments'
import { createWorld, REASON, reconcileNow, SETTINGS, type World } from './world'

let world: World
let operator: Context
let other: Context
let viewer: Context
let caseId = ''

beforeAll(async () => {
  world = await createWorld()
  operator = await world.as('operator')
  other = await world.as('operator', 'other')
  viewer = await world.as('viewer')
  await pay(world, 'unbooked', { skip: 'book' })
  await pay(world, 'wrong', { bookAs: 1234 })
  world.advance(30_000)
  await reconcileNow(world)
  const { items } = await listCases(world.system.db, { class: ['ledger_missing'] }, { limit: 5 })
  caseId = items[0]?.id ?? ''
})
afterAll(() => world.close())

test('a proposer withdraws their own proposal, once; nobody else does', async () => {
  const action = await propose(operator, { caseId, kind: 'book_ledger', reason: REASON }, SETTINGS)
  const input = { actionId: action.id, reason: REASON }
  await expect(withdraw(other, input)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(withdraw(viewer, input)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(withdraw(operator, { ...input, reason: 'short' })).rejects.toThrow()
  const both = await Promise.allSettled([withdraw(operator, input), withdraw(operator, input)])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  const { events, actions } = await getCase(world.system.db, caseId)
  expect(actions[0]).toMatchObject({ state: 'rejected', result: { withdrawn: true } })
  expect(events[0]).toMatchObject({ kind: 'withdrawn' })
  const audit = await world.system.db.prisma.auditEntry.findMany({
    where: { subject: action.id, outcome: 'withdrawn' },
  })
  expect(audit).toHaveLength(1)
  await expect(
    propose(operator, { caseId, kind: 'book_ledger', reason: REASON }, SETTINGS),
  ).resolves.toMatchObject({
    state: 'proposed',
  })
})

test('cases are counted by class and age, and a bucket counts what its filter lists', async () => {
  const now = world.system.clock.now()
  const counts = await countCases(world.system.db, now)
  expect(counts.open).toBe(2)
  expect(counts.classes.map((row) => [row.class, row.open, row.byAge])).toEqual(
    expect.arrayContaining([
      ['ledger_missing', 1, [1, 0, 0, 0]],
      ['amount_mismatch', 1, [1, 0, 0, 0]],
    ]),
  )
  const later = await countCases(world.system.db, new Date(now.getTime() + 2 * 3_600_000))
  expect(later.classes[0]?.byAge).toEqual([0, 0, 1, 0])
  const young = await listCases(
    world.system.db,
    { seenFrom: new Date(now.getTime() - 60_000) },
    { limit: 10 },
  )
  const old = await listCases(
    world.system.db,
    { seenBefore: new Date(now.getTime() - 60_000) },
    { limit: 10 },
  )
  expect([young.items.length, old.items.length]).toEqual([2, 0])
})

test('the sides of a case are the objects of its evidence', async () => {
  const sides = await readCaseSides(world.system.db, caseId)
  expect(sides).toMatchObject({
    intent: [{ state: 'completed', httpStatus: 201 }],
    ledger: [],
    provider: [{ kind: 'charge', status: 'succeeded' }],
  })
  expect(sides.intent[0]?.names).toContain(sides.provider[0]?.id)
})

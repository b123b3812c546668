import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Context } from '@/lib/context'
import { getCase, listCases } from '@/lib/reconcile/cases/cases'
import { countTriageable, selectMatchingCases } from '@/lib/reconcile/cases/select-cases'
import { acknowledgeCase } from '@/lib/reconcile/triage/acknowledge'
import { closeCaseByHand } from '@/lib/reconcile/triage/close-by-hand'
import { triageCases } from '@/lib/reconcile/triage/triage-cases'
import { pay } from './payments'
import { createWorld, REASON, reconcileNow, type World } from './world'

let world: World
let operator: Context
let ids: string[] = []

beforeAll(async () => {
  world = await createWorld()
  operator = await world.as('operator')
  for (let n = 0; n < 4; n++) await pay(world, `bulk-${n}`, { bookAs: 1234 })
  world.advance(30_000)
  await reconcileNow(world)
  ids = (await listCases(world.system.db, {}, { limit: 10 })).items.map(({ id }) => id)
})
afterAll(() => world.close())

const triage = async (change: Parameters<typeof triageCases>[1]['change'], some = ids, by = operator) =>
  (await triageCases(by, { ids: some, change, reason: REASON })).map(({ outcome }) => outcome)
const standing = async (id: string) => {
  const { triage: state, owner, events } = await getCase(world.system.db, id)
  return [state, owner, events[0]?.kind]
}

test('all that match are named oldest first, at most so many; what comes later and what is resolved is not among them', async () => {
  const { db } = world.system
  expect(await countTriageable(db, {})).toBe(4)
  const few = await selectMatchingCases(db, {}, 3)
  expect(few).toMatchObject({ more: true })
  expect(few.ids).toHaveLength(3)
  const all = await selectMatchingCases(db, { class: ['amount_mismatch'] }, 100)
  expect([all.more, [...all.ids].sort()]).toEqual([false, [...ids].sort()])
  expect(await selectMatchingCases(db, { class: ['orphan_effect'] }, 100)).toEqual({ ids: [], more: false })
})

test('a reason goes into history and audit; undo brings back what was before, once', async () => {
  const [first = '', second = ''] = ids
  await acknowledgeCase(operator, first)
  expect(await triage({ kind: 'assign', ownerId: 'user-operator' })).toEqual(Array(4).fill('done'))
  expect(await standing(first)).toEqual(['assigned', 'user-operator', 'assign'])
  const { events } = await getCase(world.system.db, second)
  expect(events[0]?.data).toMatchObject({ reason: REASON, before: { triage: 'open', ownerId: null } })
  expect(await triage({ kind: 'undo' })).toEqual(Array(4).fill('done'))
  expect(await standing(first)).toEqual(['acknowledged', null, 'undo'])
  expect(await standing(second)).toEqual(['open', null, 'undo'])
  expect(await triage({ kind: 'undo' })).toEqual(Array(4).fill('refused'))
})

test('undo is of one’s own last change, where nothing came after it; of two at once one wins', async () => {
  const [first = '', second = '', third = ''] = ids
  const other = await world.as('operator', 'other')
  const until = new Date(world.system.clock.now().getTime() + 3_600_000).toISOString()
  await triage({ kind: 'snooze', until }, [first, second, third])
  await acknowledgeCase(other, first)
  await closeCaseByHand(operator, { caseId: second, reason: REASON })
  expect(await triage({ kind: 'undo' }, [first, second])).toEqual(['refused', 'refused'])
  expect(await triage({ kind: 'undo' }, [third], other)).toEqual(['refused'])
  const both = await Promise.all([triage({ kind: 'undo' }, [third]), triage({ kind: 'undo' }, [third])])
  expect(both.flat().sort()).toEqual(['done', 'refused'])
  expect(await countTriageable(world.system.db, {})).toBe(3)
})

test('more than 100 in one action, or a reason of a word, is refused', async () => {
  const many = Array.from({ length: 101 }, (_, n) => `case_${n}`)
  await expect(triage({ kind: 'acknowledge' }, many)).rejects.toThrow()
  await expect(
    triageCases(operator, { ids, change: { kind: 'acknowledge' }, reason: 'short' }),
  ).rejects.toThrow(/at least 10/)
})

import { afterAll, beforeAll, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { readDayFigures } from '@/lib/reconcile/report/day-figures'
import { acknowledgeCase } from '@/lib/reconcile/triage/acknowledge'
import { closeCaseByHand } from '@/lib/reconcile/triage/close-by-hand'
import { pay } from './payments'
import { createWorld, REASON, reconcileNow, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

test('a day: cases by what happened to them, each once, with the money in them; the runs by verdict', async () => {
  const { db, clock } = world.system
  const operator = await world.as('operator')
  for (const name of ['one', 'two', 'three']) await pay(world, name, { bookAs: 1234 })
  world.advance(30_000)
  await reconcileNow(world)
  const [first, second] = (await listCases(db, {}, { limit: 10 })).items
  for (let n = 0; n < 2; n++) await acknowledgeCase(operator, first?.id ?? '')
  await closeCaseByHand(operator, { caseId: second?.id ?? '', reason: REASON })
  const day = clock.now().toISOString().slice(0, 10)
  const { events, runs, dryRuns } = await readDayFigures(db, day)
  const of = (kind: string) => events.find((each) => each.kind === kind)
  const amount = first?.amount?.minor ?? '0'
  const currency = first?.amount?.currency ?? ''
  expect(of('opened')).toEqual({
    kind: 'opened',
    cases: 3,
    money: [{ minor: String(3n * BigInt(amount)), currency }],
  })
  expect(of('acknowledge')).toEqual({ kind: 'acknowledge', cases: 1, money: [{ minor: amount, currency }] })
  expect(of('close')?.cases).toBe(1)
  expect([runs, dryRuns]).toEqual([[{ outcome: 'breaks', count: 1 }], 0])
  expect(await readDayFigures(db, '2020-01-01')).toEqual({ events: [], runs: [], dryRuns: 0 })
})

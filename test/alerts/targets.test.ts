import { afterAll, beforeAll, expect, test } from 'vitest'
import { burnDown, readBurnDown } from '@/lib/alerts/burn-down'
import { readObjectives } from '@/lib/alerts/objectives'
import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { withTargets } from '@/lib/alerts/targets'
import { TERMS_SETTING, termsSchema } from '@/lib/conditions/terms'
import { manualClock } from '@/lib/core/clock'
import { MEASURES, type Measure, type MeasureId } from '@/lib/telemetry/measures/measure'
import { createTestDatabase, type TestDatabase } from '../support/database'

// One truth: the target that decides what fires is the one that is shown, burnt and measured against.

const measure = (id: MeasureId, value: number | null): Measure => ({
  id,
  ...MEASURES[id],
  value,
  numerator: 1,
  denominator: 100,
  state: value === null ? 'not measured' : 'breach',
  detail: {},
})
const rules = termsSchema.parse([
  { kind: 'duplicate_effects', limits: { target: 0.05 } },
  { kind: 'duplicate_effects', when: { service: 'web' }, limits: { target: 0.01 } },
  { kind: 'expired_key_retries', limits: { target: 0.002 } },
  { kind: 'store_errors', limits: { target: 0 } },
])
const targetsOf = (measures: readonly Measure[]) =>
  Object.fromEntries(measures.map(({ id, target, state }) => [id, [target, state]]))

test('the agreed target is the measure’s, in its own unit, and decides whether it is a breach', () => {
  const measures = [measure('M2', 0.02), measure('M5', 21), measure('M1', 0.5), measure('M8', null)]
  expect(targetsOf(withTargets(measures, rules))).toEqual({
    M2: [0.05, 'ok'],
    M5: [20, 'breach'],
    M1: [0.001, 'breach'],
    M8: [0.05, 'not measured'],
  })
  expect(targetsOf(withTargets(measures, rules, { service: 'web' })).M2).toEqual([0.01, 'breach'])
  expect(targetsOf(withTargets(measures, [])).M2).toEqual([0.0001, 'breach'])
})

test('a target of none at all is kept by none, and broken by the first', () => {
  expect(targetsOf(withTargets([measure('M3', 0)], rules)).M3).toEqual([0, 'ok'])
  expect(targetsOf(withTargets([measure('M3', 1e-9)], rules)).M3).toEqual([0, 'breach'])
})

let console: TestDatabase
const clock = manualClock('2026-03-01T12:00:00Z')
beforeAll(async () => {
  console = await createTestDatabase()
  await console.db.prisma.setting.create({
    data: { key: TERMS_SETTING, value: { rules } as object, updatedAt: clock.now(), updatedBy: 'test' },
  })
})
afterAll(() => console.close())

test('pages, API and /metrics read the targets that two people agreed on', async () => {
  const range = { from: new Date('2026-03-01T11:00:00Z'), to: clock.now() }
  const objectives = await readObjectives(console.db, range, clock.now())
  expect(objectives.find(({ id }) => id === 'M2')?.target).toBe(0.05)
  const measures = await readConsoleMeasures({ db: console.db, clock }, range)
  expect(targetsOf(measures)).toMatchObject({ M2: [0.05, 'not measured'], M5: [20, 'not measured'] })
  const ofWeb = await readConsoleMeasures({ db: console.db, clock }, { ...range, service: 'web' })
  expect(targetsOf(ofWeb).M2?.[0]).toBe(0.01)
  const course = await readBurnDown(console.db, { ...range, measure: 'M2' }, clock.now())
  expect(course.points.every(({ left }) => left === null)).toBe(true)
})

test('a target of none at all leaves no budget', () => {
  const at = new Date('2026-03-01T11:00:00Z')
  const terms = {
    from: at,
    to: new Date(at.getTime() + 120_000),
    bucketSeconds: 60,
    target: 0,
    now: clock.now(),
  }
  const points = [
    { at, numerator: 0, denominator: 10 },
    { at: new Date(at.getTime() + 60_000), numerator: 1, denominator: 10 },
  ]
  expect(burnDown(points, terms)).toMatchObject([
    { left: null, short: null },
    { left: null, short: null },
  ])
})

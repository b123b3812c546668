import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { evaluateConditions } from '@/lib/alerts/evaluate/evaluate'
import { verdictSentence } from '@/lib/alerts/now/verdict-sentence'
import { readConditions } from '@/lib/conditions/read-conditions'
import { TERMS_SETTING } from '@/lib/conditions/terms'
import { writeConditions } from '@/lib/conditions/write-conditions'
import type { SystemContext } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { CONDITIONS } from '@/lib/core/condition-kinds'
import type { ConditionView, VerdictFigures } from '@/lib/core/verdict'
import { silentLog } from '@/lib/log'
import { heartbeatProcess } from '@/lib/runs/processes'
import { type EffectObservation, observeEffects } from '@/lib/telemetry/ingest/keys/observe-effects'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

let console: TestDatabase
let ctx: SystemContext
const clock = manualClock('2026-03-01T12:00:30Z')
beforeAll(async () => {
  console = await createTestDatabase()
  ctx = { db: console.db, clock, log: silentLog, queue: noQueue }
  await ensurePartitions(console.db, clock)
})
afterAll(() => console.close())

beforeEach(() => beat())
const beat = () => heartbeatProcess(console.db, { id: 'prc_1', kind: 'worker', pid: 1 }, clock)

const kinds = async () => (await readConditions(console.db)).map(({ kind, subject }) => `${kind} ${subject}`)

/** Committed effects of keys of their own, and duplicates of the first of them, as a store told of them. */
async function effects(minutesAgo: number, committed: number, duplicates: number): Promise<void> {
  const at = new Date(clock.now().getTime() - minutesAgo * 60_000)
  const one = (index: number): EffectObservation => {
    const first = index < committed - duplicates
    const key = first ? index : 0
    return {
      name: 'stripe.charge',
      step: 'charge',
      scope: 'web/POST /v1/payments',
      keyHash: (minutesAgo * 1_000_000 + key).toString(16).padStart(32, '0'),
      effectId: `ch_${minutesAgo}_${index}`,
      at: first ? at : new Date(at.getTime() + 1),
      amount: null,
      outcome: 'committed',
      observer: 'store',
    }
  }
  await observeEffects(
    console.db,
    clock,
    Array.from({ length: committed }, (_, index) => one(index)),
  )
  await rollUpDirtyMinutes(console.db, clock, { limit: 100 })
}

test('nothing measured: nothing fires', async () => {
  expect(await evaluateConditions(ctx)).toEqual({ firing: 0, raised: 0, cleared: 0 })
  expect(await kinds()).toEqual([])
})

test('duplicate effects burn their budget: a ticket over days, a page over hours, and each ends with its shorter window', async () => {
  await effects(40, 1000, 5)
  expect(await evaluateConditions(ctx)).toMatchObject({ raised: 1 })
  const [first] = await readConditions(console.db)
  expect(first).toMatchObject({ severity: 'ticket', detail: { windows: ['6 h', '3 d'], target: 0.0001 } })
  await effects(1, 100, 2)
  expect(await evaluateConditions(ctx)).toMatchObject({ raised: 1 })
  expect(await readConditions(console.db)).toMatchObject([
    {
      kind: 'duplicate_effects',
      subject: 'all',
      severity: 'page',
      since: first?.since,
      detail: { value: 0.02, longValue: 7 / 1100, windows: ['5 min', '1 h'], escalated: false },
    },
  ])
  clock.advance(30_000)
  expect(await evaluateConditions(ctx)).toMatchObject({ raised: 0, cleared: 0, firing: 1 })
  const goesOn = async (minutes: number) => {
    clock.advance(minutes * 60_000)
    await beat()
    await evaluateConditions(ctx)
    return (await readConditions(console.db)).map(({ severity, detail }) => [severity, detail.windows])
  }
  expect(await goesOn(10)).toEqual([['page', ['30 min', '6 h']]])
  expect(await goesOn(35)).toEqual([['ticket', ['6 h', '3 d']]])
  expect(await goesOn(360)).toEqual([])
})

test('half of the month’s budget within an hour escalates; a service apart burns by its own terms', async () => {
  await console.db.prisma.setting.create({
    data: {
      key: TERMS_SETTING,
      value: { rules: [{ kind: 'duplicate_effects', when: { service: 'quiet' }, limits: { target: 1 } }] },
      updatedAt: clock.now(),
      updatedBy: 'test',
    },
  })
  await effects(1, 100, 4)
  await evaluateConditions(ctx)
  expect(await readConditions(console.db)).toMatchObject([{ subject: 'all', detail: { escalated: true } }])
  clock.advance(7 * 3_600_000)
  await console.db.pool.query('TRUNCATE setting')
})

test('a target of none at all is broken by the first', async () => {
  await console.db.prisma.setting.create({
    data: {
      key: TERMS_SETTING,
      value: { rules: [{ kind: 'duplicate_effects', limits: { target: 0 } }] },
      updatedAt: clock.now(),
      updatedBy: 'test',
    },
  })
  await effects(3, 100, 1)
  await evaluateConditions(ctx)
  expect(await readConditions(console.db)).toMatchObject([
    { kind: 'duplicate_effects', severity: 'page', detail: { target: 0, burn: null } },
  ])
  clock.advance(7 * 3_600_000)
  await console.db.pool.query('TRUNCATE setting')
})

test('a source that is down, and a service that is silent, fire; what another part raised stays', async () => {
  const now = clock.now()
  await console.db.prisma.source.create({
    data: {
      id: 'src_1',
      kind: 'intent',
      adapter: 'native',
      name: 'payments store',
      system: 'payments',
      config: {},
      createdAt: now,
      lastErrorAt: now,
      lastError: 'refused',
    },
  })
  await writeConditions(console.db.pool, now, { kinds: [] }, [
    { kind: 'case_flood', subject: 'payments', detail: {} },
  ])
  await evaluateConditions(ctx)
  expect((await kinds()).sort()).toEqual(['case_flood payments', 'stale_source src_1'])
  clock.advance(1_000)
  await console.db.prisma.source.update({ where: { id: 'src_1' }, data: { lastOkAt: clock.now() } })
  await evaluateConditions(ctx)
  expect(await kinds()).toEqual(['case_flood payments'])
  clock.advance(600_000)
  await beat()
  await evaluateConditions(ctx)
  expect((await kinds()).sort()).toEqual(['case_flood payments', 'stale_source src_1'])
})

const quiet: VerdictFigures = {
  measured: true,
  duplicateEffects: { count: 0, of: 4510, atRisk: [] },
  stuckLocks: { count: 0, oldestSeconds: null },
  orphans: 0,
  openCases: { p1: 0, all: 0 },
}
const firing = (kind: ConditionView['kind'], detail = {}): ConditionView => ({
  id: 'c',
  kind,
  severity: CONDITIONS[kind].severity,
  subject: 'all',
  since: '2026-03-01T12:00:00Z',
  detail,
})

test.each<[string, ConditionView[], Partial<VerdictFigures>, string, string]>([
  ['all well', [], {}, 'ok', 'Every side effect happened once.'],
  [
    'nothing arrived',
    [],
    { measured: false },
    'unknown',
    'Waiting for the first span: nothing is measured yet.',
  ],
  [
    'duplicates fire',
    [firing('stale_source'), firing('duplicate_effects')],
    {
      duplicateEffects: {
        count: 12,
        of: 4510,
        atRisk: [
          { minor: 128450n, currency: 'EUR' },
          { minor: 9800n, currency: 'JPY' },
        ],
      },
    },
    'bad',
    '12 side effects of 4,510 happened twice, with €1,284.50 and ¥9,800 at risk.',
  ],
  [
    'within target',
    [],
    { duplicateEffects: { count: 1, of: 45_100, atRisk: [] } },
    'warn',
    '1 side effect happened twice; the rate is within its target.',
  ],
  [
    'store errors',
    [firing('store_errors', { value: 0.0321 })],
    {},
    'bad',
    'The idempotency store fails 3.21 % of its operations.',
  ],
  [
    'latency',
    [firing('intent_latency', { value: 8123 })],
    {},
    'bad',
    'Operations take too long to end: P99 is 8.1 s.',
  ],
  [
    'stuck',
    [],
    { stuckLocks: { count: 7, oldestSeconds: 740 } },
    'warn',
    '7 locks are stuck, the oldest for 12 min; nothing else is wrong.',
  ],
  ['one orphan', [], { orphans: 1 }, 'warn', '1 side effect has no record that answers for it.'],
])('the sentence: %s', (_, conditions, figures, tone, text) => {
  expect(verdictSentence(conditions, { ...quiet, ...figures })).toEqual({ tone, text })
})

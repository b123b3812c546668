import { afterAll, beforeAll, expect, test } from 'vitest'
import { evaluateConditions } from '@/lib/alerts/evaluate'
import { readConditions } from '@/lib/alerts/read-conditions'
import { writeConditions } from '@/lib/alerts/write-conditions'
import type { SystemContext } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { type ConditionView, type VerdictFigures, verdictSentence } from '@/lib/core/verdict'
import { silentLog } from '@/lib/log'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

let console: TestDatabase
let ctx: SystemContext
const clock = manualClock('2026-03-01T12:00:30Z')
beforeAll(async () => {
  console = await createTestDatabase()
  ctx = { db: console.db, clock, log: silentLog, queue: noQueue }
})
afterAll(() => console.close())

const kinds = async () => (await readConditions(console.db)).map(({ kind, subject }) => `${kind} ${subject}`)

async function effects(minutesAgo: number, committed: number, duplicates: number): Promise<void> {
  const minute = new Date(Math.floor(clock.now().getTime() / 60_000 - minutesAgo) * 60_000)
  const { rows } = await console.db.pool.query(
    `SELECT column_name FROM information_schema.columns WHERE table_schema = 'telemetry' AND table_name = 'minute_effect'
     AND is_nullable = 'NO' AND column_name NOT IN ('minute', 'committed', 'duplicates') AND data_type = 'text'`,
  )
  const texts = rows.map((row) => row.column_name)
  await console.db.pool.query(
    `INSERT INTO telemetry.minute_effect (minute, committed, duplicates${texts.map((name) => `, ${name}`).join('')})
     VALUES ($1, $2, $3${texts.map(() => ", 'x'").join('')})`,
    [minute, committed, duplicates],
  )
}

test('nothing measured: nothing fires', async () => {
  expect(await evaluateConditions(ctx)).toEqual({ firing: 0, raised: 0, cleared: 0 })
  expect(await kinds()).toEqual([])
})

test('duplicate effects fire when the short and the long window are above the target, and keep their since', async () => {
  await effects(30, 1000, 5)
  await evaluateConditions(ctx)
  expect(await kinds()).toEqual([])
  await effects(1, 100, 2)
  expect(await evaluateConditions(ctx)).toMatchObject({ raised: 1 })
  const [first] = await readConditions(console.db)
  expect(first).toMatchObject({ kind: 'duplicate_effects', subject: 'all', since: clock.now().toISOString() })
  clock.advance(30_000)
  expect(await evaluateConditions(ctx)).toMatchObject({ raised: 0, cleared: 0, firing: 1 })
  expect((await readConditions(console.db))[0]?.since).toBe(first?.since)
  clock.advance(10 * 60_000)
  expect(await evaluateConditions(ctx)).toMatchObject({ firing: 0, cleared: 1 })
  expect(await kinds()).toEqual([])
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
  await writeConditions(console.db, now, [], [{ kind: 'case_flood', subject: 'payments', detail: {} }])
  await evaluateConditions(ctx)
  expect((await kinds()).sort()).toEqual(['case_flood payments', 'stale_source src_1'])
  clock.advance(1_000)
  await console.db.prisma.source.update({ where: { id: 'src_1' }, data: { lastOkAt: clock.now() } })
  await evaluateConditions(ctx)
  expect(await kinds()).toEqual(['case_flood payments'])
  clock.advance(600_000)
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
  subject: 'payments',
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
    'warn',
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

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import type { ExecutiveFigures } from '@/lib/insight/executive/executive'
import { executiveSentence } from '@/lib/insight/executive/executive-sentence'
import { readExecutive } from '@/lib/insight/executive/read-executive'
import { silentLog } from '@/lib/log'
import { ensureDays, ensurePartitions } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { expectMeasures, generateTraffic } from '../telemetry/model'
import { Random } from '../telemetry/random'
import { store } from '../telemetry/spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const nowMs = clock.now().getTime()
const DAY_MS = 86_400_000
const ago = (ms: number) => new Date(nowMs - ms)
const month = { from: ago(30 * DAY_MS), to: clock.now() }
const read = (db: Db, window = month) => readExecutive({ db, clock, log: silentLog }, window)

const figures: ExecutiveFigures = {
  from: month.from.toISOString(),
  to: month.to.toISOString(),
  days: 30,
  measuredDays: 30,
  effects: { committed: 120_345, duplicates: 0, rate: 0, target: 0.0001 },
  confirmed: {
    cases: 0,
    open: 0,
    refunds: 0,
    refunded: [],
    fees: [],
    feesUntold: 0,
    detectMs: null,
    mendMs: null,
    resolved: 0,
  },
  suspected: { effects: 0, untold: 0, amounts: [] },
  atRisk: [],
  incidents: null,
}
const usd = (minor: string) => [{ minor, currency: 'USD' }]
const confirmed = { ...figures.confirmed, cases: 3, open: 1 } as NonNullable<ExecutiveFigures['confirmed']>
const twice = (duplicates: number) => ({ ...figures.effects, duplicates, rate: duplicates / 120_345 })
const none = { committed: 0, duplicates: 0, rate: null, target: 0.0001 }

describe('the sentence', () => {
  it.each<[string, Partial<ExecutiveFigures>, string, string]>([
    ['no duplicate', {}, 'ok', 'Every one of 120,345 side effects happened once in the last 30 days.'],
    [
      'no duplicate, measured on some days',
      { measuredDays: 12 },
      'ok',
      'Every one of 120,345 side effects happened once in the last 30 days. Measured on 12 of 30 days.',
    ],
    [
      'no duplicate, and nothing compared',
      { confirmed: null },
      'ok',
      'Every one of 120,345 side effects happened once in the last 30 days; nothing was compared with the provider yet.',
    ],
    [
      'some, within the target',
      { effects: twice(1), atRisk: usd('1050'), suspected: { effects: 1, untold: 0, amounts: usd('1050') } },
      'warn',
      '1 of 120,345 side effects happened twice in the last 30 days (0.00083 %), within the target of 0.01 %; $10.50 at risk.',
    ],
    [
      'some, above the target',
      {
        effects: twice(24),
        confirmed: { ...confirmed, refunded: usd('12000'), refunds: 2 },
        atRisk: usd('4000'),
      },
      'bad',
      '24 of 120,345 side effects happened twice in the last 30 days (0.02 %), above the target of 0.01 %; $120.00 refunded, $40.00 at risk.',
    ],
    [
      'all of them mended',
      { effects: twice(2), confirmed: { ...confirmed, cases: 2, open: 0, refunded: usd('2100') } },
      'warn',
      '2 of 120,345 side effects happened twice in the last 30 days (0.0017 %), within the target of 0.01 %; $21.00 refunded, nothing at risk.',
    ],
    [
      'duplicates whose worth nobody told are at risk all the same',
      { effects: twice(1), suspected: { effects: 1, untold: 1, amounts: [] } },
      'warn',
      '1 of 120,345 side effects happened twice in the last 30 days (0.00083 %), within the target of 0.01 %; 1 duplicate of unknown worth at risk.',
    ],
    [
      'found by reconciliation alone',
      { confirmed, atRisk: usd('1050') },
      'warn',
      'No trace shows a side effect that happened twice in the last 30 days, of 120,345; reconciliation found 3 duplicates that no trace shows; $10.50 at risk.',
    ],
    [
      'nothing is known',
      { effects: none, measuredDays: 0, confirmed: null },
      'unknown',
      'Side effects are not measured: no service told of one in the last 30 days, and nothing was compared yet.',
    ],
    [
      'not measured, compared and none found',
      { effects: none, measuredDays: 0 },
      'unknown',
      'Side effects are not measured: no service told of one in the last 30 days; reconciliation found no duplicate.',
    ],
    [
      'not measured, compared and some found',
      { effects: none, measuredDays: 0, confirmed, atRisk: usd('1050') },
      'warn',
      'Side effects are not measured: no service told of one in the last 30 days; reconciliation found 3 duplicates; $10.50 at risk.',
    ],
  ])('%s', (_, changed, tone, text) => {
    expect(executiveSentence({ ...figures, ...changed })).toEqual({ tone, text })
  })
})

test('a console that watches nothing measures nothing: no figure is 0', async () => {
  const database = await createTestDatabase()
  try {
    const executive = await read(database.db)
    expect(executive).toMatchObject({
      measuredDays: 0,
      effects: { rate: null },
      confirmed: null,
      incidents: null,
      storage: { bytes: null, costPerMonth: [], unpriced: 0 },
      sentence: { tone: 'unknown' },
      trend: { points: [] },
    })
    expect(executive.months.map(({ incidents, effects }) => [incidents, effects.rate])).toEqual([
      [null, null],
      [null, null],
    ])
    expect(executive.budgets.map(({ budgetLeft }) => budgetLeft)).toEqual([null, null, null, null, null])
  } finally {
    await database.close()
  }
})

describe('over days of traffic', () => {
  let database: TestDatabase
  let db: Db
  const events = [1, 2, 3].flatMap((days) => generateTraffic(days, nowMs - days * DAY_MS, 30 * 60_000, 80))
  const random = new Random(9)
  beforeAll(async () => {
    database = await createTestDatabase()
    ;({ db } = database)
    await ensurePartitions(db, clock)
    await ensureDays(db, ['span', 'keyed_request', 'effect', 'delivery', 'log'], ago(5 * DAY_MS), clock.now())
    await store(
      db,
      clock,
      random.shuffle(events).map((event) => event.span),
    )
    await rollUpDirtyMinutes(db, clock, { limit: 10_000 })
  })
  afterAll(() => database.close())

  it('the rate and its days equal the measure over the raw events', async () => {
    const { effects, measuredDays, days, trend, months } = await read(db)
    const [duplicates, committed] = expectMeasures(events, { fromMs: nowMs - 30 * DAY_MS, toMs: nowMs }).m2
    expect(effects).toMatchObject({ duplicates, committed, rate: duplicates / committed })
    expect([measuredDays, days]).toEqual([3, 31])
    expect(trend.points.map(({ at }) => at.slice(0, 10))).toEqual(['2026-11-19', '2026-11-20', '2026-11-21'])
    expect(months).toMatchObject([
      { month: '2026-11', partial: true, effects: { duplicates, committed } },
      { month: '2026-10', partial: false, effects: { committed: 0, rate: null }, incidents: null },
    ])
  })

  it('a year has at most 300 points, which add up to the same', async () => {
    const { trend, effects } = await read(db, { from: ago(365 * DAY_MS), to: clock.now() })
    expect(trend.bucketSeconds).toBe((2 * DAY_MS) / 1000)
    expect(trend.points).toHaveLength(2)
    const sum = (pick: 'numerator' | 'denominator') =>
      trend.points.reduce((total, point) => total + Number(point[pick]), 0)
    expect([sum('numerator'), sum('denominator')]).toEqual([effects.duplicates, effects.committed])
  })

  it('a duplicate that no case names is suspected, with its money', async () => {
    const { suspected, effects, atRisk, confirmed: compared } = await read(db)
    expect(compared).toBeNull()
    expect(suspected.effects).toBe(effects.duplicates)
    const money = [{ minor: String(1050 * suspected.effects), currency: 'USD' }]
    expect(suspected).toMatchObject({ untold: 0, amounts: money })
    expect(atRisk).toEqual(money)
  })

  it('cases, refunds, fees and times are of the period, each once', async () => {
    await db.pool.query(
      `INSERT INTO run (id, kind, state, outcome, dry_run, params, counts, requested_by, created_at)
       VALUES ('run_1', 'reconciliation', 'done', 'reconciled', false, '{}', '{}', 'test', now())`,
    )
    const seen = ago(DAY_MS)
    await addCharge('ch_2', new Date(seen.getTime() - 600_000), 33)
    await addCase('case_1', { object: 'ch_2', effects: ['ch_1', 'ch_2'], seen })
    await addCase('case_2', { object: 'ord#1', effects: ['ch_3', 'ch_4'], seen, class: 'duplicate_semantic' })
    await addCharge('ch_4', new Date(seen.getTime() - 1_200_000), null)
    await addCase('case_3', {
      object: 'ch_6',
      effects: ['ch_5', 'ch_6'],
      seen: ago(40 * DAY_MS),
      resolved: new Date(ago(40 * DAY_MS).getTime() + 36 * DAY_MS),
    })
    await addCase('case_4', { object: 'ch_8', effects: ['ch_7', 'ch_8'], seen, class: 'ledger_missing' })
    await addRefund('act_1', 'case_3', 'done', ago(4 * DAY_MS))
    await addRefund('act_2', 'case_1', 'failed', ago(DAY_MS))
    await addRefund('act_3', 'case_4', 'done', ago(DAY_MS))
    expect((await read(db)).confirmed).toEqual({
      cases: 2,
      open: 2,
      refunds: 1,
      refunded: usd('1050'),
      fees: usd('33'),
      feesUntold: 1,
      detectMs: 600_000,
      resolved: 1,
      mendMs: 36 * DAY_MS,
    })
  })

  it('incidents are counted by month and severity; months before anything was watched are not 0', async () => {
    await addIncident('inc_1', 'sev1', ago(2 * DAY_MS), { detectMs: 60_000, mitigateMs: 600_000 })
    await addIncident('inc_2', 'sev3', ago(2 * DAY_MS), { detectMs: -60_000, mitigateMs: null })
    const executive = await read(db, { from: ago(60 * DAY_MS), to: clock.now() })
    expect(executive.incidents).toEqual({
      incidents: 2,
      open: 2,
      detectMs: 60_000,
      acknowledgeMs: null,
      mitigateMs: 600_000,
    })
    expect(executive.months.map(({ month: name, incidents }) => [name, incidents])).toEqual([
      ['2026-11', { count: 2, bySeverity: { sev1: 1, sev3: 1 } }],
      ['2026-10', null],
      ['2026-09', null],
    ])
  })

  const addCharge = (id: string, at: Date, feeMinor: number | null) =>
    db.pool.query(
      `INSERT INTO mirror.object (version, seq, born_seq, occurred_at, staged_at, source_id, object_id, system, side, kind, status,
         provider_ref, currency, content_hash, data)
       VALUES (1, nextval('mirror.seq'), 1, $2, $2, 'src_p', $1, 'payments', 'provider', 'charge', 'succeeded', $1, 'USD', '\\x00', $3)`,
      [id, at, JSON.stringify({ feeMinor: feeMinor === null ? null : String(feeMinor) })],
    )

  const addCase = (
    id: string,
    about: { object: string; effects: string[]; seen: Date; class?: string; resolved?: Date },
  ) =>
    db.pool.query(
      `INSERT INTO reconciliation_case (id, break_id, system, operation_id, aspect, object_id, class, severity, outcome, lifecycle,
         effect_ids, amount_minor, currency, evidence, evidence_hash, first_seen, last_seen, resolved_at, resolution)
       VALUES ($1, $1, 'payments', 1, 'uniqueness', $2, $3, 'P1', 'break', $6, $4, 1050, 'USD', '{}', 'h', $5, $5, $7, $8)`,
      [
        id,
        about.object,
        about.class ?? 'duplicate_same_key',
        about.effects,
        about.seen,
        about.resolved === undefined ? 'new' : 'resolved',
        about.resolved ?? null,
        about.resolved === undefined ? null : 'auto_resolved',
      ],
    )

  const addRefund = (id: string, caseId: string, state: string, finishedAt: Date) =>
    db.prisma.action.create({
      data: {
        id,
        kind: 'refund',
        state,
        caseId,
        amountMinor: 1050n,
        currency: 'USD',
        reason: 'charged twice, as the case shows',
        createdAt: finishedAt,
        finishedAt,
      },
    })

  const addIncident = (
    id: string,
    severity: string,
    openedAt: Date,
    times: { detectMs: number; mitigateMs: number | null },
  ) =>
    db.prisma.incident.create({
      data: {
        id: `${id}_${randomUUID()}`,
        area: 'payments',
        severity,
        status: 'open',
        openedAt,
        beganAt: new Date(openedAt.getTime() - times.detectMs),
        mitigatedAt: times.mitigateMs === null ? null : new Date(openedAt.getTime() + times.mitigateMs),
      },
    })
})

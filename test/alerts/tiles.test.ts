import { expect, test } from 'vitest'
import type { NowData } from '@/lib/alerts/now/read-now'
import { buildTiles } from '@/lib/alerts/now/tiles'
import { buildVerdict } from '@/lib/alerts/now/verdict'
import { verdictActions } from '@/lib/alerts/now/verdict-actions'
import type { SourceView } from '@/lib/mirror/read/list-sources'
import { MEASURES, type Measure, notMeasured } from '@/lib/telemetry/measures/measure'
import type { Freshness } from '@/lib/telemetry/read/freshness'

const NOW = new Date('2026-11-22T03:00:00Z')
const HOUR_AGO = new Date('2026-11-22T02:00:00Z')

const good = (id: 'M1' | 'M2' | 'M3' | 'M4' | 'M6'): Measure => ({
  id,
  ...MEASURES[id],
  value: 0,
  numerator: 0,
  denominator: 1_200,
  state: 'ok',
  detail: id === 'M6' ? { open: 0 } : {},
})

const service = (silent: boolean): Freshness => ({
  service: 'payments',
  environment: 'production',
  firstSpanAt: HOUR_AGO,
  lastSpanAt: new Date('2026-11-22T02:40:00Z'),
  lastReceivedAt: new Date('2026-11-22T02:40:00Z'),
  ageMs: 20 * 60_000,
  stale: silent,
})

const noRate = { bucketSeconds: 60, points: [] }
const noEffect = { effects: [], more: false, amounts: [], keys: 0, clients: 0, oldestAt: null }

const store: SourceView = {
  ...{ id: 'src_1', kind: 'intent', adapter: 'native', name: 'payments store', system: 'payments' },
  ...{ enabled: true, state: 'ok', lastOkAt: NOW.toISOString(), lastError: null, lastErrorAt: null },
  ...{
    capabilities: {},
    notUnderstood: null,
    readLate: null,
    openTransaction: null,
    region: null,
    version: 1,
  },
}

const data = (over: Partial<NowData>): NowData => ({
  range: { from: HOUR_AGO, to: NOW },
  now: NOW,
  measures: (['M1', 'M2', 'M3', 'M4', 'M6'] as const).map(good),
  outcomes: { bucketSeconds: 60, buckets: [] },
  rates: { M1: noRate, M2: noRate, M3: noRate },
  latency: { bucketSeconds: 60, points: [] },
  locks: {
    stuck: 0,
    live: 3,
    investigate: 0,
    oldestStuckAt: null,
    openOlderThan: 0,
    more: false,
    stuckItems: [],
  },
  orphans: noEffect,
  duplicates: noEffect,
  unseenDuplicates: 0,
  endpoints: { total: 0, rows: [], service: null },
  acknowledgedBy: () => null,
  deploys: [],
  openCases: { all: 0, p1: 0 },
  freshness: [service(false)],
  conditions: [],
  sources: [],
  ...over,
})

const telemetry = (tiles: ReturnType<typeof buildTiles>) => tiles.filter(({ id }) => id !== 'locks')

test('figures of a service that is silent are stale since then, and never good', () => {
  const fresh = telemetry(buildTiles(data({})))
  expect(fresh.map(({ standing }) => standing)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
  const silent = telemetry(buildTiles(data({ freshness: [service(true)] })))
  for (const { standing, stale } of silent) {
    expect(standing).toBe('stale')
    expect(stale).toEqual({ who: 'no service sends', since: '2026-11-22T02:40:00.000Z' })
  }
})

test('bad news stays bad when the source falls silent', () => {
  const breach: Measure = { ...good('M2'), value: 0.01, numerator: 12, state: 'breach' }
  const measures = [breach, ...(['M1', 'M3', 'M4', 'M6'] as const).map(good)]
  const [tile] = buildTiles(data({ measures, freshness: [service(true)] }))
  expect(tile?.standing).toBe('bad')
  expect(tile?.stale).not.toBeNull()
})

test('what has no input is not measured, never 0', () => {
  const measures = (['M1', 'M2', 'M3', 'M4', 'M6'] as const).map((id) => notMeasured(id, 'no telemetry'))
  for (const { value, standing, facts } of buildTiles(data({ measures, freshness: [] }))) {
    expect(value).toBeNull()
    expect(standing).toBe('unknown')
    expect(facts).toHaveLength(1)
  }
})

const condition = {
  id: 'alr_1',
  kind: 'duplicate_effects' as const,
  severity: 'page' as const,
  times: 1,
  subject: 'all',
  since: '2026-11-22T02:42:00.000Z',
  detail: {},
  checkedAt: '2026-11-22T02:43:00.000Z',
  environment: null,
  silence: null,
  incidentId: null,
}

test('a condition of now is not denied by a range in which nothing happened', () => {
  const { tone, lead, rest } = buildVerdict(data({ conditions: [condition] }))
  expect(tone).toBe('bad')
  expect([...lead, ...rest].join('')).toBe(
    'Side effects happen twice now, above the target; none of them in this range.',
  )
})

test('the verdict leads to what it speaks of, the most urgent first', () => {
  const breach: Measure = { ...good('M2'), value: 0.01, numerator: 14, state: 'breach' }
  const measures = [breach, ...(['M1', 'M3', 'M4', 'M6'] as const).map(good)]
  const stuck = {
    stuck: 7,
    live: 9,
    investigate: 0,
    oldestStuckAt: HOUR_AGO,
    openOlderThan: 7,
    more: false,
    stuckItems: [],
  }
  expect(verdictActions(data({ measures, locks: stuck })).map(({ label }) => label)).toEqual([
    'Open 14 effects',
    'Open 7 stuck locks',
  ])
  expect(verdictActions(data({}))).toEqual([])
})

test('a verdict of what fires names the next step, whose page is the first button: for duplicates the hold', () => {
  const stuck = { ...condition, id: 'alr_2', kind: 'stuck_keys' as const, detail: { count: 7 } }
  const ticket = { ...condition, id: 'alr_3', kind: 'key_reuse' as const, severity: 'ticket' as const }
  const about = (now: NowData) => buildVerdict(now).about.map((pieces) => pieces.map(String).join(''))
  const both = data({ conditions: [ticket, stuck, condition] })
  expect(about(both)).toContain('Next: Does it go on? Stop it.')
  expect(verdictActions(both).map(({ label }) => label)).toEqual(['Hold a route', 'Runbook'])
  expect(verdictActions(both)[0]?.href).toContain('/holds?place=route&from=2026-11-22')
  expect(verdictActions(both).at(-1)?.href).toContain('/alerts?open=alr_1')
  const locks = { ...both.locks, stuck: 7 }
  // The page of the next step needs no second button.
  expect(verdictActions(data({ conditions: [stuck, ticket], locks })).map(({ label }) => label)).toEqual([
    'Open the stuck locks',
    'Runbook',
  ])
  const orphans = { ...condition, kind: 'orphaned_effects' as const }
  const twice = [{ ...good('M2'), numerator: 3 }, ...(['M1', 'M3', 'M4', 'M6'] as const).map(good)]
  expect(verdictActions(data({ conditions: [orphans], measures: twice })).map(({ label }) => label)).toEqual([
    'Open the orphans',
    'Open 3 effects',
    'Runbook',
  ])
  expect(about(data({ conditions: [ticket, stuck] }))).toContain('Next: What does each of them need?')
})

test('the verdict says who looks after what it speaks of', () => {
  const condition = {
    id: 'alr_1',
    kind: 'stuck_keys' as const,
    severity: 'page' as const,
    times: 1,
    subject: 'payments',
    since: '2026-11-22T02:42:00.000Z',
    detail: { count: 1 },
    checkedAt: '2026-11-22T02:43:00.000Z',
    environment: null,
    silence: null,
    incidentId: null,
  }
  const acknowledgement = {
    ...{ id: 'ack_1', alert: 'alr_1', by: 'u1', byName: 'Ada', note: '' },
    ...{ at: '2026-11-22T02:50:00.000Z', until: '2026-11-22T04:50:00.000Z' },
  }
  const { about } = buildVerdict(data({ conditions: [condition], acknowledgedBy: () => acknowledgement }))
  expect(about).toContainEqual(['Ada looks after it until ', { at: '2026-11-22T04:50:00.000Z' }, '.'])
})

test('a store that was never read has no number of locks, also when it could not be reached', () => {
  const down = { ...store, state: 'down', lastOkAt: null, lastError: 'refused' } as const
  const tile = buildTiles(data({ sources: [down] })).find(({ id }) => id === 'locks')
  expect(tile).toMatchObject({ value: null, standing: 'unknown', empty: 'Not read yet' })
})

test('a lock that a clock ahead of ours stamped has no age of 0 s', () => {
  const locks = {
    stuck: 1,
    live: 1,
    investigate: 0,
    oldestStuckAt: new Date('2026-11-22T03:10:00Z'),
    openOlderThan: 0,
    more: false,
    stuckItems: [],
  }
  const now = data({ locks, sources: [store] })
  const tile = buildTiles(now).find(({ id }) => id === 'locks')
  expect(tile?.facts).toContain('oldest 10 min ahead of our clock')
  const { lead, rest } = buildVerdict(now)
  expect([...lead, ...rest].join('')).toBe(
    '1 lock is stuck, the oldest stamped 10 min ahead of our clock; nothing else is wrong.',
  )
})

test('duplicates that reconciliation alone found are told beside those that spans told of', () => {
  const measures = [{ ...good('M2'), numerator: 3 }, ...(['M1', 'M3', 'M4', 'M6'] as const).map(good)]
  const found = data({ measures, unseenDuplicates: 2 })
  expect(buildTiles(found)[0]?.facts).toContain('2 more found by reconciliation')
  expect(verdictActions(found)[0]).toEqual({ label: 'Open 5 effects', href: '/effects?kind=duplicate' })
})

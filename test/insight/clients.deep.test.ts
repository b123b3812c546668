import { randomUUID } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import type { ClientView } from '@/lib/insight/clients/client'
import { clientText } from '@/lib/insight/clients/client-text'
import { findClient } from '@/lib/insight/clients/find-client'
import { readClients } from '@/lib/insight/clients/read-clients'
import { timeInKey } from '@/lib/insight/clients/time-in-key'
import { silentLog } from '@/lib/log'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase } from '../support/database'
import { wholeOrSample } from '../support/whole-or-sample'
import { generateTraffic } from '../telemetry/model'
import { requestSpan, span, store } from '../telemetry/spans'
import { expectClients } from './expect-clients'

const clock = manualClock('2026-11-22T12:00:00Z')
const nowMs = clock.now().getTime()
const SPAN_MS = 15 * 60_000
const HOUR_MS = 3_600_000
const hour = { from: new Date(nowMs - HOUR_MS), to: new Date(nowMs) }

async function withDatabase(work: (db: Db) => Promise<void>): Promise<void> {
  const database = await createTestDatabase()
  try {
    await ensurePartitions(database.db, clock)
    await work(database.db)
  } finally {
    await database.close()
  }
}

const read = async (db: Db, window = hour) => {
  await rollUpDirtyMinutes(db, clock, { limit: 1000 })
  return readClients({ db, clock, log: silentLog }, window)
}

const request = (parts: { key: string; atMs: number; scope?: string; outcome?: string }) =>
  requestSpan({
    traceId: randomUUID().replaceAll('-', ''),
    spanId: randomUUID().slice(-12).padStart(16, '1'),
    key: parts.key,
    at: new Date(parts.atMs),
    outcome: parts.outcome ?? 'executed',
    ...(parts.scope === undefined ? {} : { scope: parts.scope }),
  })

describe('figures of callers equal their definitions over the raw events', () => {
  it.each(wholeOrSample([1, 2, 3, 4, 5, 6], [1, 2]))('seed %i', (seed) =>
    withDatabase(async (db) => {
      const events = generateTraffic(seed, nowMs - SPAN_MS, SPAN_MS, 240)
      const spans = events.map((event) => event.span)
      await store(db, clock, spans.slice(100))
      await store(db, clock, spans.slice(0, 100))
      for (const [fromMs, toMs] of [
        [nowMs - SPAN_MS, nowMs],
        [nowMs - 600_000, nowMs - 300_000],
      ] as const) {
        const { items, keysFrom, tooMany } = await read(db, { from: new Date(fromMs), to: new Date(toMs) })
        const expected = expectClients(events, { fromMs, toMs })
        const told = items.filter(({ client }) => client !== null)
        expect(told.map(({ client }) => client).sort()).toEqual([...expected.keys()].sort())
        for (const view of told) expect(view).toMatchObject(expected.get(view.client ?? '') ?? {})
        expect({ keysFrom, tooMany }).toEqual({ keysFrom: null, tooMany: false })
      }
    }),
  )
})

test('a request without a key that tells no caller makes every caller’s missing keys a lower bound', () =>
  withDatabase(async (db) => {
    const bare = (scope?: string) =>
      span({
        traceId: randomUUID().replaceAll('-', ''),
        spanId: randomUUID().slice(-12).padStart(16, '1'),
        at: new Date(nowMs - 60_000),
        durationMs: 5,
        kind: 2,
        attributes: {
          'http.request.method': 'POST',
          'http.route': '/v1/payments',
          ...(scope === undefined ? {} : { 'idempotency.scope.name': scope }),
        },
      })
    await store(db, clock, [
      request({ key: 'a', atMs: nowMs - 90_000 }),
      request({ key: 'b', atMs: nowMs - 90_000, scope: 'mobile/POST /v1/payments' }),
      bare('web/POST /v1/payments'),
    ])
    const of = async (client: string | null) =>
      (await read(db)).items.find((each) => each.client === client)?.missingKeys
    expect(await of('web')).toEqual({ requests: 1, atLeast: false })
    expect(await of('mobile')).toEqual({ requests: 0, atLeast: false })
    await store(db, clock, [bare()])
    expect(await of('web')).toEqual({ requests: 1, atLeast: true })
    expect(await of('mobile')).toEqual({ requests: 0, atLeast: true })
    // Whoever did not tell is one row of its own, and nobody's.
    expect(await of(null)).toEqual({ requests: 1, atLeast: false })
  }))

test('nothing compared and no store read are not known; a case and a sample are', () =>
  withDatabase(async (db) => {
    await store(db, clock, [request({ key: 'a', atMs: nowMs - 90_000 })])
    const only = async () => (await read(db)).items[0]
    expect(await only()).toMatchObject({ client: 'web', suspected: null, keyTimes: null })

    await db.pool.query(
      `INSERT INTO run (id, kind, state, outcome, dry_run, params, counts, requested_by, created_at)
       VALUES ('run_1', 'reconciliation', 'done', 'reconciled', false, '{}', '{}', 'test', now())`,
    )
    expect(await only()).toMatchObject({ suspected: { cases: 0, open: 0, money: [] } })
    await addCase(db, 'case_1', 'web/POST /v1/payments', new Date(nowMs - 60_000))
    await addCase(db, 'case_2', null, new Date(nowMs - 60_000))
    await addCase(db, 'case_3', 'web/POST /v1/payments', new Date(nowMs - 2 * HOUR_MS))
    expect(await only()).toMatchObject({
      suspected: { cases: 1, open: 1, money: [{ minor: '1050', currency: 'USD' }] },
      findings: [{ kind: 'suspected_duplicates', tone: 'bad' }],
    })

    for (let n = 0; n < 10; n++)
      await addKey(db, n, n < 6 ? `order-${n}-2026-11-22T11` : randomUUID(), new Date(nowMs - 60_000))
    expect(await only()).toMatchObject({ keyTimes: { sampled: 10, minute: 0, hour: 6, day: 0 } })
  }))

const addCase = (db: Db, id: string, scope: string | null, firstSeen: Date) =>
  db.pool.query(
    `INSERT INTO reconciliation_case (id, break_id, system, operation_id, aspect, object_id, class, severity, outcome, lifecycle,
       scope, key, effect_ids, amount_minor, currency, evidence, evidence_hash, first_seen, last_seen)
     VALUES ($1, $1, 'payments', 1, 'uniqueness', $1, 'duplicate_semantic', 'P2', 'break', 'new', $2, 'k', '{}', 1050, 'USD',
       '{}', 'h', $3, $3)`,
    [id, scope, firstSeen],
  )

const addKey = (db: Db, seq: number, key: string, at: Date) =>
  db.pool.query(
    `INSERT INTO mirror.object (version, seq, born_seq, occurred_at, staged_at, source_id, object_id, system, side, kind, status,
       scope, key, content_hash, data)
     VALUES (1, $1, $1, $3, $3, 'src_a', $2, 'payments', 'intent', 'key', 'completed', 'web/POST /v1/payments', $2, '\\x00', '{}')`,
    [seq, key, at],
  )

describe('the time in a key', () => {
  const at = new Date('2026-11-22T11:30:00Z')
  it.each([
    ['order-7-2026-11-22T11:29:58Z', 'minute'],
    ['order-7-2026-11-22 11:29', 'minute'],
    ['order-7-20261122T112958Z', 'minute'],
    ['20261122112958', 'minute'],
    ['pay:1795346998', 'minute'],
    ['pay:1795346998123:7', 'minute'],
    ['order-7-2026-11-22T11', 'hour'],
    ['order-7-2026112211', 'hour'],
    ['invoice/2026/11/22/7', 'day'],
    ['sub_9:2026-11-22', 'day'],
    ['sub_9:2026-11-23', 'day'],
  ])('%s holds a %s', (key, time) => {
    expect(timeInKey(key, at)).toBe(time)
  })

  it.each([
    ['a UUID', '20261122-1126-4a11-8a22-202611221126'],
    ['a month: one key for a month is meant', 'sub_9:2026-11'],
    ['a date of another week', 'invoice-2026-10-01'],
    ['a number that is no time of now', 'order-1695346998'],
    ['digits within a longer number', '9917953469981234567890'],
    ['digits within a word', 'x20261122y'],
    ['no date', 'order-2026-13-45'],
  ])('%s holds none', (_, key) => {
    expect(timeInKey(key, at)).toBeNull()
  })
})

const quiet: ClientView = {
  client: 'web',
  isOthers: false,
  keyedRequests: 1_234,
  replayed: 34,
  mismatches: 0,
  expiredRetries: 0,
  missingKeys: { requests: 0, atLeast: false },
  keys: {
    keys: 1_200,
    retried: 34,
    requestsPerKey: 1.03,
    mostRequests: 3,
    reused: 0,
    retryWindowMs: { p50: 2_100, p95: 9_000, p99: 40_000, longest: 180_000 },
    newKeys: 1_200,
    newKeysPeakPerMinute: 30,
    shared: 0,
    sentByOtherFirst: 0,
  },
  suspected: { cases: 0, open: 0, money: [] },
  keyTimes: { sampled: 200, minute: 0, hour: 0, day: 0 },
  findings: [],
}
const asked = { environment: 'PRODUCTION', ...hour }

test('a caller without faults is told so, with its figures', () => {
  expect(findClient(quiet, HOUR_MS)).toEqual([])
  expect(clientText(quiet, asked)).toBe(
    [
      'Idempotency keys of "web" in PRODUCTION',
      '2026-11-22 11:00 UTC to 2026-11-22 12:00 UTC',
      '',
      '1,234 requests with a key. 1,200 keys, 34 of them sent more than once, at most 3 times. Between the first and the last request of such a key: P50 2.10 s, P99 40.0 s, longest 180.0 s.',
      '',
      'We saw nothing that you need to change.',
      '',
    ].join('\n'),
  )
})

test('each fault is found by itself, the worst first, and is in the text with its figures', () => {
  const faulty: ClientView = {
    ...quiet,
    mismatches: 12,
    expiredRetries: 2,
    missingKeys: { requests: 9, atLeast: true },
    keys: quiet.keys && {
      ...quiet.keys,
      reused: 4,
      mostRequests: 25,
      newKeysPeakPerMinute: 900,
      shared: 3,
      sentByOtherFirst: 2,
    },
    suspected: { cases: 1, open: 1, money: [{ minor: '1050', currency: 'USD' }] },
    keyTimes: { sampled: 200, minute: 30, hour: 0, day: 6 },
  }
  const findings = findClient(faulty, HOUR_MS)
  expect(findings.map(({ kind, tone }) => `${kind} ${tone}`)).toEqual([
    'suspected_duplicates bad',
    'other_body bad',
    'expired_retries bad',
    'time_in_key bad',
    'missing_keys warn',
    'key_of_other warn',
    'retry_storm warn',
    'key_burst warn',
  ])
  const text = clientText({ ...faulty, findings }, asked)
  expect(text).toContain(
    '1. 1 reference was charged twice under two keys, $10.50; 1 of them open. Make the key once',
  )
  expect(text).toContain('2. 12 requests (4 keys) used a key again with another body and were refused.')
  expect(text).toContain('4. 36 of 200 sampled keys hold the time at which they were sent')
  expect(text).toContain('5. At least 9 requests carried no key')
  expect(text).toContain('Not known: requests without a key (some did not tell who sent them).')
})

test('what is not known is said in the text, and is not none', () => {
  const text = clientText({ ...quiet, keys: null, suspected: null, keyTimes: null }, asked)
  expect(text).toContain('How often keys were retried is not known.')
  expect(text).toContain('charged under two keys (nothing was compared yet)')
  expect(text).toContain('what your keys are made of (no store that we read has them)')
})

test('hidden characters and secrets in a name do not reach the text', () => {
  const named = clientText({ ...quiet, client: 'acme\u202E\u200Bpay\nBcc: x sk_live_abcdefghijkl' }, asked)
  expect(named.split('\n')[0]).toBe(
    'Idempotency keys of "acme[U+202E][U+200B]pay Bcc: x [redacted]" in PRODUCTION',
  )
})

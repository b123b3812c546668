import { describe, expect, test } from 'vitest'
import { toLane } from '@/app/(console)/reconciliation/cases/[id]/attempts-card'
import { attemptsOf } from '@/lib/reconcile/cases/case-attempts'
import { compareSides, type FieldRow } from '@/lib/reconcile/cases/compare-sides'
import type { CaseSides, SideLife, SideObject, SidePosting } from '@/lib/reconcile/cases/read-case-sides'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'

const SOURCES: CaseSides['sources'] = (['intent', 'ledger', 'provider'] as const).map((kind) => ({
  id: `src_${kind}`,
  kind,
  adapter: 'x',
  name: `payments ${kind}`,
}))
const amount = (minor: string, currency = 'EUR') => ({ minor, currency })

const life = (given: Partial<SideLife> = {}): SideLife => ({
  source: 'src_intent',
  scope: 'web/POST /v1/payments',
  key: 'k1',
  reference: 'order-1',
  state: 'completed',
  httpStatus: 201,
  fence: '1795366051268143',
  amount: amount('8990'),
  acquiredAt: '2026-11-22T02:43:10.900Z',
  completedAt: '2026-11-22T02:43:11.200Z',
  leaseUntil: null,
  expiresAt: null,
  names: ['ch_1'],
  effects: [],
  ...given,
})
const charge = (id: string, given: Partial<SideObject> = {}): SideObject => ({
  source: 'src_provider',
  kind: 'charge',
  id,
  scope: 'web/POST /v1/payments',
  key: 'k1',
  reference: 'order-1',
  status: 'succeeded',
  captured: true,
  amount: amount('8990'),
  refunded: null,
  createdAt: '2026-11-22T02:43:11.000Z',
  ...given,
})
const posting = (providerRef: string, given: Partial<SidePosting> = {}): SidePosting => ({
  source: 'src_ledger',
  entryId: '1',
  kind: 'charge',
  providerRef,
  reference: 'order-1',
  amount: amount('8990'),
  bookedAt: '2026-11-22T02:43:11.300Z',
  reversed: false,
  ...given,
})
const sides = (given: Partial<CaseSides>): CaseSides => ({
  intent: [life()],
  ledger: [posting('ch_1')],
  provider: [charge('ch_1')],
  sources: SOURCES,
  ...given,
})
const verdicts = (rows: readonly FieldRow[]) =>
  Object.fromEntries(rows.map(({ field, agrees }) => [field, agrees]))
const row = (rows: readonly FieldRow[], field: string) => rows.find((each) => each.field === field)

describe('sides field by field', () => {
  test('three that say the same agree in everything', () => {
    const all = { Key: true, State: true, Amount: true, Object: true, Reference: true, Time: true }
    expect(verdicts(compareSides(sides({}), 'existence'))).toEqual(all)
  })

  test('once the duplicate charge was given back whole, the sides agree, and the state tells of it', () => {
    const duplicate = charge('ch_2', { refunded: amount('8990') })
    const rows = compareSides(sides({ provider: [charge('ch_1'), duplicate] }), 'uniqueness')
    expect(verdicts(rows)).toMatchObject({ State: true, Amount: true, Object: true })
    expect(row(rows, 'State')?.cells.provider).toMatchObject({ text: expect.stringContaining('refunded') })
    const half = charge('ch_2', { refunded: amount('4000') })
    expect(verdicts(compareSides(sides({ provider: [charge('ch_1'), half] }), 'uniqueness')).Amount).toBe(
      false,
    )
  })

  test('of a dispute the provider shows the dispute, not its charge', () => {
    const taken = charge('du_1', { kind: 'dispute', status: 'pending' })
    const given = sides({ intent: [], ledger: [], provider: [charge('ch_1'), taken] })
    const rows = compareSides(given, 'dispute')
    expect(row(rows, 'State')?.cells.provider).toMatchObject({ text: '1 dispute pending' })
    expect(row(rows, 'Object')?.cells.provider).toMatchObject({ ids: ['du_1'] })
    expect(verdicts(rows)).toMatchObject({ State: false, Amount: false, Object: false })
  })

  test('charged twice on one key: state, amount and objects differ; key and reference do not', () => {
    const rows = compareSides(sides({ provider: [charge('ch_1'), charge('ch_2')] }), 'uniqueness')
    expect(verdicts(rows)).toMatchObject({
      Key: true,
      State: false,
      Amount: false,
      Object: false,
      Reference: true,
    })
    expect(row(rows, 'Amount')?.cells.provider).toEqual({
      kind: 'text',
      text: '€89.90 + €89.90 = €179.80',
      strong: true,
    })
    expect(row(rows, 'State')?.cells.provider).toMatchObject({ text: '2 charges succeeded' })
    expect(row(rows, 'Key')?.cells.provider).toMatchObject({ ids: ['k1'], note: 'on all 2' })
  })

  test('twice on every side is more than once, though the sides agree with each other', () => {
    const twice = sides({
      intent: [life(), life({ acquiredAt: '2026-11-22T02:44:10.900Z', names: ['ch_2'] })],
      ledger: [posting('ch_1'), posting('ch_2', { entryId: '2' })],
      provider: [charge('ch_1'), charge('ch_2')],
    })
    expect(verdicts(compareSides(twice, 'uniqueness'))).toMatchObject({
      State: false,
      Amount: false,
      Object: true,
    })
  })

  test('what a side lacks is nothing, what it never has is not carried, what is not there is not connected', () => {
    const missing = compareSides(sides({ ledger: [] }), 'existence')
    expect(row(missing, 'Object')?.cells.ledger).toEqual({ kind: 'nothing' })
    expect(row(missing, 'Key')?.cells.ledger).toEqual({ kind: 'not_carried' })
    expect(verdicts(missing)).toMatchObject({ State: false, Amount: false, Object: false })
    const [intent, , provider] = SOURCES
    const without = sides({ ledger: [], sources: [intent, provider].filter((each) => each !== undefined) })
    expect(row(compareSides(without, 'existence'), 'State')?.cells.ledger).toEqual({ kind: 'no_source' })
    expect(verdicts(compareSides(without, 'existence'))).toMatchObject({
      State: true,
      Amount: true,
      Object: true,
    })
  })

  test('another amount or currency differs; two postings of one charge may sum to it', () => {
    const other = sides({ ledger: [posting('ch_1', { amount: amount('8991') })] })
    expect(verdicts(compareSides(other, 'value'))).toMatchObject({ Amount: false, State: true })
    const currency = sides({ ledger: [posting('ch_1', { amount: amount('8990', 'USD') })] })
    expect(verdicts(compareSides(currency, 'value'))).toMatchObject({ Amount: false })
    const split = sides({
      ledger: [
        posting('ch_1', { amount: amount('6000') }),
        posting('ch_1', { entryId: '2', amount: amount('2990') }),
      ],
    })
    expect(verdicts(compareSides(split, 'value'))).toMatchObject({ Amount: true })
  })

  test('amounts beyond 2^53 are exact', () => {
    const big = amount('9007199254740993', 'JPY')
    const rows = compareSides(
      sides({ intent: [life({ amount: big })], ledger: [], provider: [charge('ch_1', { amount: big })] }),
      'existence',
    )
    expect(row(rows, 'Amount')?.cells.provider).toMatchObject({ text: '¥9,007,199,254,740,993' })
  })
})

const keyedRequest = (given: Partial<KeyedRequest>): KeyedRequest => ({
  time: new Date('2026-11-22T02:43:10.900Z'),
  endTime: new Date('2026-11-22T02:43:11.200Z'),
  traceId: 'a'.repeat(32),
  spanId: 'a'.repeat(16),
  service: 'payments',
  version: '1',
  instance: 'payments-1',
  scope: 'web/POST /v1/payments',
  endpoint: 'POST /v1/payments',
  client: 'web',
  outcome: 'executed',
  recordState: 'completed',
  recordCreatedAt: null,
  recordExpiresAt: null,
  attempt: 1,
  fence: '1795366051268143',
  owner: null,
  statusCode: 201,
  originalTraceId: null,
  firstSeen: true,
  duplicate: false,
  expiredRetry: false,
  effectTwice: false,
  ...given,
})

describe('attempts as lanes', () => {
  test('a span with its effect; the duplicate one is marked', () => {
    const found = attemptsOf(
      sides({ provider: [charge('ch_1'), charge('ch_2')] }),
      [
        keyedRequest({}),
        keyedRequest({ spanId: 'b', traceId: 'b'.repeat(32), outcome: 'stale', fence: '1', attempt: 1 }),
      ],
      [
        effect('a'.repeat(32), 'ch_1', '2026-11-22T02:43:11.100Z'),
        effect('b'.repeat(32), 'ch_2', '2026-11-22T02:43:11.150Z'),
      ],
      'uniqueness',
    )
    const dots = found?.shown.flatMap((attempt) => toLane(attempt).dots)
    expect(dots).toHaveLength(2)
    expect(dots?.find(({ label }) => label.startsWith('ch_2'))?.tone).toBe('bad')
    expect(dots?.find(({ label }) => label.startsWith('ch_1'))?.tone).toBe('accent')
  })

  test('a killed process exports nothing: its lease tells, with its end marked', () => {
    const stuck = life({
      state: 'leased',
      httpStatus: null,
      completedAt: null,
      leaseUntil: '2026-11-22T02:43:16.000Z',
      effects: [
        {
          step: 'charge',
          state: 'begun',
          reference: null,
          begunAt: '2026-11-22T02:43:11.000Z',
          settledAt: null,
        },
      ],
    })
    const found = attemptsOf(sides({ intent: [stuck], ledger: [] }), [], [], 'existence')
    expect(found?.shown.map((attempt) => toLane(attempt).label)).toEqual(['Lease', 'Provider'])
    expect(found?.leaseEnds).toEqual(['2026-11-22T02:43:16.000Z'])
  })

  test('more attempts than lanes keep those that had an effect, and say how many are left out', () => {
    const many = Array.from({ length: 20 }, (_, n) =>
      keyedRequest({
        spanId: String(n),
        traceId: String(n),
        outcome: 'in_progress',
        time: new Date(1e12 + n * 1000),
        endTime: new Date(1e12 + n * 1000 + 5),
      }),
    )
    const found = attemptsOf(
      sides({ intent: [], provider: [charge('ch_1')], ledger: [] }),
      many,
      [effect('19', 'ch_1', new Date(1e12 + 19_003).toISOString())],
      'existence',
    )
    expect(found?.shown).toHaveLength(8)
    expect(found?.more).toBe(12)
    expect(found?.shown.some((attempt) => toLane(attempt).dots.length === 1)).toBe(true)
  })

  test('nothing known is null, not an empty chart', () => {
    expect(attemptsOf(sides({ intent: [], ledger: [], provider: [] }), [], [], 'existence')).toBeNull()
  })
})

const effect = (traceId: string, effectId: string, endAt: string) => ({
  traceId,
  effectId,
  at: new Date(endAt),
  endAt: new Date(endAt),
  name: 'stripe.charge',
  outcome: 'committed',
})

import { describe, expect, test } from 'vitest'
import { answerOf, type ConsumerAnswer, type Facts } from '@/lib/messages/dedup/consumer-answer'
import { decideMessage, decideRedrive } from '@/lib/messages/dedup/decide'
import { publishedAtOf } from '@/lib/messages/dedup/published-at'
import type { KeyReading } from '@/lib/sources/contracts'

const NOW = new Date('2026-12-01T12:00:00Z')
const HOUR_MS = 3_600_000
const ago = (hours: number) => new Date(NOW.getTime() - hours * HOUR_MS)

type Lease = NonNullable<KeyReading['lease']>
type Record = NonNullable<KeyReading['record']>

const facts = (over: Partial<Facts> = {}): Facts => ({
  reading: { now: NOW, lease: null, record: null },
  capabilities: { collection: 'drop_partitions' },
  publishedAt: ago(1),
  keptMs: 24 * HOUR_MS,
  seenBefore: null,
  skewMs: 5_000,
  ...over,
})
const lease = (over: object): KeyReading => ({
  now: NOW,
  record: null,
  lease: { state: 'leased', expired: false, overdue: false, effects: [], ...over } as unknown as Lease,
})
const record = (over: object): KeyReading => ({
  now: NOW,
  lease: null,
  record: { state: 'completed', expired: false, expiresAt: ago(-5), ...over } as unknown as Record,
})
const did = [{ state: 'committed' }]

describe('what a consumer’s record says', () => {
  test.each<[string, Partial<Facts>, string]>([
    ['a live lease', { reading: lease({}) }, 'in_progress'],
    ['a lease that passed', { reading: lease({ expired: true }) }, 'unknown'],
    ['an effect whose end nobody knows', { reading: lease({ state: 'unknown' }) }, 'unknown'],
    ['one that was let go', { reading: lease({ state: 'retryable' }) }, 'to_retry'],
    ['one that did a part', { reading: lease({ state: 'retryable', effects: did }) }, 'partly'],
    [
      'one that did a part, in a store that deletes by itself',
      {
        reading: lease({ state: 'retryable', effects: did }),
        capabilities: { collection: 'by_engine' },
      },
      'unknown',
    ],
    [
      'one that did a part and is past its retention',
      { reading: lease({ state: 'retryable', effects: did, overdue: true }) },
      'unknown',
    ],
    ['a record', { reading: record({}) }, 'applied'],
    ['a record that ends soon', { reading: record({ expiresAt: ago(-0.5) }) }, 'applied_ending'],
    [
      'a record that has expired',
      { reading: record({ expired: true, expiresAt: ago(1) }) },
      'applied_ending',
    ],
    ['one that an operator failed', { reading: record({ state: 'failed_final' }) }, 'ended'],
    ['nothing, within its retention', {}, 'never_applied'],
    ['nothing, and it was staged as finished', { seenBefore: 'finished' }, 'applied_ending'],
    ['nothing, and it was staged as begun', { seenBefore: 'begun' }, 'expired'],
    [
      'nothing, in a store that may lose records',
      { capabilities: { durability: { kept: false, text: '' } } },
      'expired',
    ],
    ['nothing, and nobody knows when it was published', { publishedAt: null }, 'expired'],
    ['nothing, and nobody knows how long records are kept', { keptMs: null }, 'expired'],
    ['nothing, older than records are kept', { publishedAt: ago(25) }, 'expired'],
    [
      'nothing, within what clocks may differ of it',
      { publishedAt: new Date(ago(24).getTime() + 4_000) },
      'expired',
    ],
    ['nothing, published in the future', { publishedAt: ago(-1) }, 'expired'],
  ])('%s', (_, over, state) => {
    expect(answerOf(facts(over)).state).toBe(state)
  })
})

const says = (...states: ConsumerAnswer['state'][]): ConsumerAnswer[] =>
  states.map((state, index) => ({
    ...{ group: `g${index}`, store: 's', sourceId: 'src_1', scope: 'x', named: true },
    ...{ movesMoney: false, state, text: 'why' },
  }))

describe('several consumers', () => {
  test.each<[ConsumerAnswer['state'][], string]>([
    [['never_applied'], 'redrive'],
    [['proved_absent', 'to_retry'], 'redrive'],
    [['partly'], 'redrive'],
    [['applied', 'never_applied'], 'redrive'],
    [['ended', 'to_retry'], 'redrive'],
    [['applied'], 'applied'],
    [['applied_ending'], 'applied'],
    [['applied', 'ended', 'applied_ending'], 'applied'],
    [['applied_ending', 'never_applied'], 'expired'],
    [['never_applied', 'in_progress'], 'in_progress'],
    [['unknown', 'in_progress', 'applied'], 'unknown'],
    [['expired', 'never_applied'], 'expired'],
    [['not_known', 'unknown'], 'not_known'],
    [['held'], 'held'],
    [[], 'no_consumer'],
  ])('%j: %s', (states, wanted) => {
    const decision = decideRedrive(says(...states))
    expect(decision.kind === 'redrive' ? 'redrive' : decision.reason).toBe(wanted)
  })

  test.each<[ConsumerAnswer['state'][], string]>([
    [['never_applied'], 'redrive'],
    [['ended'], 'redrive'],
    [['to_retry'], 'redrive'],
    // Under an id of its own no record and no step of the old one protects.
    [['partly'], 'applied'],
    [['applied', 'never_applied'], 'applied'],
    [['unknown'], 'unknown'],
    [[], 'no_consumer'],
  ])('edited, %j: %s', (states, wanted) => {
    const all = { canRedrive: true, canDiscard: true, canEdit: true }
    const decision = decideMessage({ state: 'dead', id: 'm' }, all, says(...states), true)
    expect(decision.kind === 'redrive' ? 'redrive' : decision.reason).toBe(wanted)
  })
})

test('a message is as old as its id says, where a broker tells only when it was parked', () => {
  const made = new Date('2026-11-01T00:00:00.123Z')
  const id = `${made
    .getTime()
    .toString(16)
    .padStart(12, '0')
    .replace(/^(.{8})/, '$1-')}-7abc-8def-0123456789ab`
  expect(publishedAtOf({ id, publishedAt: NOW })).toEqual(made)
  expect(publishedAtOf({ id, publishedAt: null })).toEqual(made)
  expect(publishedAtOf({ id: 'order-1', publishedAt: NOW })).toEqual(NOW)
  expect(publishedAtOf({ id: 'order-1', publishedAt: null })).toBeNull()
})

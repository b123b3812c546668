import type { KeyReading, LeaseRow, StoreCapabilities } from '@/lib/sources/contracts'

export const CONSUMER_STATES = [
  'applied',
  'applied_ending',
  'ended',
  'never_applied',
  'proved_absent',
  'to_retry',
  'partly',
  'in_progress',
  'unknown',
  'held',
  'expired',
  'not_known',
] as const
export type ConsumerState = (typeof CONSUMER_STATES)[number]

/** What one consumer's own record says of a message. */
export type ConsumerAnswer = {
  group: string
  store: string
  sourceId: string | null
  scope: string
  /** It is in the source's configuration; else the console has only seen its records. */
  named: boolean
  /** Its effects are charges, refunds or payouts. */
  movesMoney: boolean
  state: ConsumerState
  /** Why, in a sentence. */
  text: string
}
export type Said = Pick<ConsumerAnswer, 'state' | 'text'>

/** A record has to outlive a redelivery by this: relay, broker and consumer take their time. */
export const OUTLIVES_MS = 60 * 60_000

export type Facts = {
  reading: KeyReading
  capabilities: Pick<StoreCapabilities, 'durability' | 'collection'>
  /** The earliest that it can have been consumed, by the source's clock. */
  publishedAt: Date | null
  /** How long a record of it is kept at least: the shortest of what is known of its store; null = nothing is. */
  keptMs: number | null
  /** What the console has staged of it before. */
  seenBefore: 'finished' | 'begun' | null
  /** The clocks of source and store differ by at most this. */
  skewMs: number
}

/** Pure: absence proves that nothing was applied only while a record could not have gone yet. */
export function answerOf(facts: Facts): Said {
  const { reading, capabilities } = facts
  if (reading.lease !== null) return ofLease(reading.lease, capabilities)
  if (reading.record !== null) return ofRecord(reading.record, reading.now)
  return ofAbsence(facts)
}

function ofLease(lease: LeaseRow, { durability, collection }: Facts['capabilities']): Said {
  if (lease.state === 'unknown')
    return { state: 'unknown', text: 'It began an effect, and nobody knows its end: settle its key first.' }
  if (lease.state === 'leased')
    return lease.expired
      ? { state: 'unknown', text: 'Its holder died while it applied it: judge its key under Locks first.' }
      : { state: 'in_progress', text: 'It is being applied now.' }
  // What it did before is in its steps: they have to be there when it is tried again.
  const did = lease.effects.some(({ state }) => state !== 'failed')
  const mayGo = lease.overdue || durability?.kept === false || collection === 'by_engine'
  if (did && mayGo)
    return { state: 'unknown', text: 'It did a part, and its store may lose the record of that.' }
  return did
    ? { state: 'partly', text: 'It did a part and was let go: it goes on from there, with its steps kept.' }
    : { state: 'to_retry', text: 'It was tried and let go: it begins again.' }
}

function ofRecord(record: NonNullable<KeyReading['record']>, now: Date): Said {
  const done = record.state === 'completed'
  const ended = done ? 'It was applied' : 'An operator ended it without effect'
  const leftMs = record.expiresAt.getTime() - now.getTime()
  return !record.expired && leftMs >= OUTLIVES_MS
    ? { state: done ? 'applied' : 'ended', text: `${ended}. A redelivery is dropped.` }
    : {
        state: 'applied_ending',
        text: `${ended}, and its record ends before a redelivery is sure to be there: it would be applied once more.`,
      }
}

function ofAbsence({
  reading: { now },
  capabilities: { durability },
  publishedAt,
  keptMs,
  seenBefore,
  skewMs,
}: Facts): Said {
  const expired = (text: string): Said => ({ state: 'expired', text })
  if (seenBefore === 'finished')
    return {
      state: 'applied_ending',
      text: 'It was applied; its record is gone: it would be applied once more.',
    }
  if (seenBefore === 'begun') return expired('It was begun, and its record is gone: nobody knows its end.')
  if (durability?.kept === false) return expired('It has no record, and its store may have lost one.')
  if (publishedAt === null) return expired('It has no record; since when it could have had one is not known.')
  if (publishedAt.getTime() > now.getTime() + skewMs)
    return expired('It has no record, and a clock is wrong: it was published in the future.')
  if (keptMs === null)
    return expired(
      'It has no record; how long its store keeps records is not known. Name recordsKeptMs of this consumer in the source’s configuration.',
    )
  if (publishedAt.getTime() + keptMs - skewMs > now.getTime())
    return { state: 'never_applied', text: 'It was never applied: a record would still be there.' }
  return expired('It has no record, and is older than records are kept.')
}

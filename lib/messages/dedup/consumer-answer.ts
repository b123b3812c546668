import type { KeyReading, StoreCapabilities } from '@/lib/sources/contracts'

export const CONSUMER_STATES = [
  'applied',
  'never_applied',
  'to_retry',
  'in_progress',
  'unknown',
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
  state: ConsumerState
  /** Why, in a sentence. */
  text: string
}

/** A record has to outlive a redelivery by this: relay, broker and consumer take their time. */
const OUTLIVES_MS = 10 * 60_000
/** Two engines' clocks differ by no more. */
const SKEW_MS = 60_000

export type Facts = {
  reading: KeyReading
  capabilities: Pick<StoreCapabilities, 'durability'>
  publishedAt: Date | null
  /** How long a record of the message is kept at least; null = nobody knows. */
  keptMs: number | null
  /** The console has staged a record or a lease of it before. */
  seenBefore: boolean
}

/** Pure: absence proves that nothing was applied only while a record could not have gone yet. */
export function answerOf({
  reading: { now, lease, record },
  capabilities: { durability },
  publishedAt,
  keptMs,
  seenBefore,
}: Facts): Pick<ConsumerAnswer, 'state' | 'text'> {
  if (lease !== null) {
    if (lease.state === 'unknown')
      return { state: 'unknown', text: 'It began an effect, and nobody knows its end: settle its key first.' }
    if (lease.state === 'retryable') return { state: 'to_retry', text: 'It was tried, and begins again.' }
    if (!lease.expired) return { state: 'in_progress', text: 'It is being applied now.' }
    return { state: 'unknown', text: 'Its holder died while it applied it: judge its key under Locks first.' }
  }
  if (record !== null) {
    const leftMs = record.expiresAt.getTime() - now.getTime()
    if (!record.expired && leftMs >= OUTLIVES_MS)
      return { state: 'applied', text: 'It was applied. A redelivery is dropped.' }
    return { state: 'expired', text: 'It was applied, and its record ends: it would be applied once more.' }
  }
  if (seenBefore)
    return { state: 'expired', text: 'It had a record, which is gone: it would be applied once more.' }
  if (durability?.kept === false)
    return { state: 'expired', text: 'It has no record, and its store may have lost one.' }
  if (publishedAt === null)
    return { state: 'expired', text: 'It has no record; since when it could have had one is not known.' }
  if (keptMs === null)
    return { state: 'expired', text: 'It has no record; how long its store keeps records is not known.' }
  if (publishedAt.getTime() + keptMs - SKEW_MS > now.getTime())
    return { state: 'never_applied', text: 'It was never applied: a record would still be there.' }
  return { state: 'expired', text: 'It has no record, and is older than records are kept.' }
}

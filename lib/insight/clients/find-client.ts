import { countText, plural } from '@/lib/core/format-figure'
import { formatMoneyList } from '@/lib/core/money'
import type { Count } from '@/lib/telemetry/measures/measure'
import type { ClientFigures, Finding } from './client'

/** Fewer keys with a time in them, or a smaller share, may be chance. */
const KEY_TIMES_MIN = 5
const KEY_TIMES_SHARE = 0.1
/** A key that is sent more often than a client with backoff would. */
const STORM_REQUESTS = 20
/** New keys in one minute, and times the caller's own mean: more is a burst. */
const BURST_KEYS = 600
const BURST_TIMES = 10

/** What a caller's figures say, the worst first. Pure. */
export function findClient(figures: ClientFigures, windowMs: number): Finding[] {
  return [
    suspected(figures),
    otherBody(figures),
    expired(figures),
    timeInKeys(figures),
    missing(figures),
    keyOfOther(figures),
    storm(figures),
    burst(figures, windowMs),
  ].filter((finding) => finding !== null)
}

const isNone = (count: Count): boolean => count === 0

/** Of a count that may be beyond 2^53. */
const countOf = (count: Count, one: string, many: string): string =>
  `${countText(count)} ${count === 1 ? one : many}`

function suspected({ suspected: found }: ClientFigures): Finding | null {
  if (found === null || found.cases === 0) return null
  const money = found.money.length === 0 ? '' : `, ${formatMoneyList(found.money)}`
  return {
    kind: 'suspected_duplicates',
    tone: 'bad',
    says: `${plural(found.cases, 'reference was', 'references were')} charged twice under two keys${money}; ${countText(found.open)} of them open.`,
    asks: 'Make the key once for an operation, keep it with the operation, and send the same key on every retry, also after a restart.',
  }
}

function otherBody({ mismatches, keys }: ClientFigures): Finding | null {
  if (isNone(mismatches)) return null
  const of = keys === null ? '' : ` (${plural(keys.reused, 'key')})`
  return {
    kind: 'other_body',
    tone: 'bad',
    says: `${countOf(mismatches, 'request', 'requests')}${of} used a key again with another body and ${mismatches === 1 ? 'was' : 'were'} refused.`,
    asks: 'Send the same body on every retry, and make a new key for every new operation.',
  }
}

function expired({ expiredRetries }: ClientFigures): Finding | null {
  if (isNone(expiredRetries)) return null
  return {
    kind: 'expired_retries',
    tone: 'bad',
    says: `${countOf(expiredRetries, 'retry', 'retries')} came after the key had expired and executed again.`,
    asks: 'Stop retrying before the key expires. If you need longer, tell us for how long.',
  }
}

function timeInKeys({ keyTimes }: ClientFigures): Finding | null {
  if (keyTimes === null) return null
  const { sampled, minute, hour, day } = keyTimes
  const timed = minute + hour + day
  if (timed < KEY_TIMES_MIN || timed < sampled * KEY_TIMES_SHARE) return null
  const parts = [
    minute > 0 && `${countText(minute)} a minute or finer`,
    hour > 0 && `${countText(hour)} an hour`,
    day > 0 && `${countText(day)} a day`,
  ].filter((part) => part !== false)
  return {
    kind: 'time_in_key',
    tone: minute + hour > 0 ? 'bad' : 'warn',
    says: `${countText(timed)} of ${plural(sampled, 'sampled key')} hold the time at which they were sent (${parts.join(', ')}).`,
    asks: 'Leave the time out of the key: a retry after it has moved on gets a new key, and executes again.',
  }
}

function missing({ missingKeys: { requests, atLeast } }: ClientFigures): Finding | null {
  if (isNone(requests)) return null
  return {
    kind: 'missing_keys',
    tone: 'warn',
    says: `${atLeast ? 'At least ' : ''}${countOf(requests, 'request', 'requests')} carried no key on routes that take one.`,
    asks: 'Send an Idempotency-Key with every request that changes something: without it a retry executes again.',
  }
}

function keyOfOther({ keys }: ClientFigures): Finding | null {
  if (keys === null || keys.sentByOtherFirst === 0) return null
  return {
    kind: 'key_of_other',
    tone: 'warn',
    says: `${plural(keys.sentByOtherFirst, 'key was', 'keys were')} sent by another caller first.`,
    asks: 'Make keys of your own, at random. A key that another caller sent is either passed on, guessed or taken.',
  }
}

function storm({ keys }: ClientFigures): Finding | null {
  if (keys === null || keys.mostRequests < STORM_REQUESTS) return null
  return {
    kind: 'retry_storm',
    tone: 'warn',
    says: `One key was sent ${countText(keys.mostRequests)} times.`,
    asks: 'Retry with exponential backoff and jitter, honour Retry-After, and stop after a bounded number of attempts.',
  }
}

function burst({ keys }: ClientFigures, windowMs: number): Finding | null {
  if (keys === null || keys.newKeysPeakPerMinute < BURST_KEYS) return null
  const mean = keys.newKeys / Math.max(1, windowMs / 60_000)
  if (keys.newKeysPeakPerMinute < mean * BURST_TIMES) return null
  return {
    kind: 'key_burst',
    tone: 'warn',
    says: `${countText(keys.newKeysPeakPerMinute)} new keys came in one minute, ${countText(Math.round(mean))} a minute on average.`,
    asks: 'Check whether a loop makes a new key for each retry, and spread bulk work over time.',
  }
}

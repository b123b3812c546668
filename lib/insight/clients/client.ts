import type { MoneyJson } from '@/lib/core/money'
import type { Count } from '@/lib/telemetry/measures/measure'
import type { KeyTime } from './time-in-key'

/** How a caller sends its keys. Each figure: docs/guides/insight.md. */
export type ClientFigures = {
  /** The caller part of the scope; null = the requests did not tell. */
  client: string | null
  /** All callers beyond those that roll-ups keep apart, together. */
  isOthers: boolean
  keyedRequests: Count
  replayed: Count
  /** Requests with a known key and another body. */
  mismatches: Count
  /** Retries of an expired key, executed again. */
  expiredRetries: Count
  /** Requests without a key on routes that take keys. */
  missingKeys: {
    requests: Count
    /** Some requests without a key did not tell whose they are: this is a lower bound. */
    atLeast: boolean
  }
  /** Null = not measured: too many to look through, no longer kept, or of many callers together. */
  keys: ClientKeys | null
  /** One reference charged twice under two keys; null = nothing was compared yet. */
  suspected: { cases: number; open: number; money: MoneyJson[] } | null
  /** Of a sample; null = no store that is read has keys of this caller. */
  keyTimes: ({ sampled: number } & Record<KeyTime, number>) | null
}

export type ClientKeys = {
  keys: number
  /** Sent more than once. */
  retried: number
  requestsPerKey: number
  mostRequests: number
  /** Sent again with another body at least once. */
  reused: number
  /** From the first to the last request of a key that was retried, ms; null = none was. */
  retryWindowMs: { p50: number; p95: number; p99: number; longest: number } | null
  /** First sent in the window, and the most of them in one minute. */
  newKeys: number
  newKeysPeakPerMinute: number
  /** Another caller sent the same key; and of these, the other was first. */
  shared: number
  sentByOtherFirst: number
}

/** A caller's figures, and what they say. */
export type ClientView = ClientFigures & { findings: Finding[] }

export type Finding = {
  kind: FindingKind
  tone: 'bad' | 'warn'
  /** What was seen, with its figures. */
  says: string
  /** What the client's team can do. */
  asks: string
}

export const FINDING_KINDS = [
  'suspected_duplicates',
  'other_body',
  'expired_retries',
  'time_in_key',
  'missing_keys',
  'key_of_other',
  'retry_storm',
  'key_burst',
] as const
export type FindingKind = (typeof FINDING_KINDS)[number]

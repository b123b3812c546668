import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { Db } from '@/lib/db'
import { type RetryWindowRow, readRetryWindows } from '@/lib/telemetry/read/requests/retry-windows'
import { readFloors } from './policy/floor'
import { type ProposePolicy, proposePolicy } from './policy/propose-policy'

/** A TTL is this much longer than the longest retry seen. */
const MARGIN = 1.5
/** Below it a tail says nothing: advice is given, and called uncertain. */
const SAMPLE_MIN = 1_000

/** Rounded up to one of these: a TTL that a person can say. */
const STEPS_MS = [1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720, 1440, 2880, 4320, 10_080, 20_160, 43_200].map(
  (minutes) => minutes * 60_000,
)

export type RetryWindow = {
  endpoint: string
  /** '' = all clients together. */
  client: string
  /** Keys that came more than once; the percentiles are over them. */
  retriedKeys: number
  keys: number
  p50Ms: number
  p90Ms: number
  p99Ms: number
  p999Ms: number
  p9999Ms: number
  maxMs: number
  /** The longest life of a record that was reported; null = none was. */
  ttlMs: number | null
  impliedTtlMs: number
  uncertain: boolean
  /** Of the keys observed: came again after the present TTL, and after the implied one. */
  expiredRetriesNow: number
  expiredRetriesThen: number
  /** More than now (positive), in rows held at any time, from the rate of keys observed. */
  rowsHeldDelta: number | null
}

/**
 * How long clients go on retrying, by endpoint and client, and the TTL that it implies. As good as the telemetry is
 * long: a retry after its first keyed request was forgotten is not seen.
 */
export async function adviseTtl(db: Db, window: { from: Date; to: Date }): Promise<RetryWindow[]> {
  return (await readRetryWindows(db, window)).map(toWindow)
}

function toWindow(row: RetryWindowRow): RetryWindow {
  const [p50 = 0, p90 = 0, p99 = 0, p999 = 0, p9999 = 0] = row.quantiles ?? []
  const impliedTtlMs = impliedTtl(row.max_ms ?? 0)
  const keysAMs = row.keys / row.observed_ms
  return {
    endpoint: row.endpoint,
    client: row.client ?? '',
    retriedKeys: row.retried,
    keys: row.keys,
    p50Ms: p50,
    p90Ms: p90,
    p99Ms: p99,
    p999Ms: p999,
    p9999Ms: p9999,
    maxMs: row.max_ms ?? 0,
    ttlMs: row.ttl_ms,
    impliedTtlMs,
    uncertain: row.retried < SAMPLE_MIN,
    expiredRetriesNow: row.after_ttl,
    // The implied TTL is beyond the longest window that was observed.
    expiredRetriesThen: 0,
    rowsHeldDelta: row.ttl_ms === null ? null : Math.round((impliedTtlMs - row.ttl_ms) * keysAMs),
  }
}

/** With its margin, rounded up to a TTL that a person can say. */
export function impliedTtl(longestMs: number): number {
  const wantedMs = longestMs * MARGIN
  return STEPS_MS.find((step) => step >= wantedMs) ?? Math.ceil(wantedMs / 86_400_000) * 86_400_000
}

/** What the rows of an advice cost or save, from a store's own bytes a row. */
export const bytesOf = (
  rowsHeldDelta: number,
  storage: { rows: number; bytes: number | null },
): number | null =>
  storage.rows === 0 || storage.bytes === null
    ? null
    : Math.round((rowsHeldDelta * storage.bytes) / storage.rows)

/** One step from an advice to a proposed policy; another person approves it. */
export async function proposeAdvised(
  ctx: Context,
  input: { source: string; endpoint: string; from: Date; to: Date; safetyMs: number; archive: boolean },
): Promise<ActionView> {
  const advice = (await adviseTtl(ctx.db, input)).find(
    (each) => each.endpoint === input.endpoint && each.client === '',
  )
  if (advice === undefined)
    throw new AppError(
      'not_found',
      `No key of ${input.endpoint} was seen in that time: there is nothing to advise.`,
    )
  const floor = (await readFloors(ctx, [input.source])).get(input.source)
  const ttlMs = Math.max(advice.impliedTtlMs, floor?.floorMs ?? 0)
  const minutes = Math.round(advice.impliedTtlMs / 60_000)
  const raised = ttlMs > advice.impliedTtlMs ? ` Raised to the floor, up to which keys can be replayed.` : ''
  const policy: ProposePolicy = {
    source: input.source,
    endpoint: input.endpoint,
    ttlMs,
    safetyMs: input.safetyMs,
    archive: input.archive,
    reason: `Advised: ${advice.retriedKeys} of ${advice.keys} keys came again, the last after ${Math.round(advice.maxMs / 1000)} s; ${minutes} min with a margin of ${MARGIN}.${raised}`,
  }
  return proposePolicy(ctx, policy)
}

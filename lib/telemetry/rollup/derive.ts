import { SHORT_STEPS_SECONDS } from '../window'
import { ROLL_UP_LOCK } from './roll-up-minutes'
import type { RollUpKind, Step } from './roll-up-steps'

/** For each minute of $1, and each hour and day, from what is rolled up there by service, version, endpoint and client. */
const DERIVED = {
  /** service, version, endpoint and client are '' */
  request_all: {
    from: 'request',
    sql: (into: string, from: string) => `
  INSERT INTO ${into} (minute, requests, store_operations, store_errors, expired_retries, executed_again, ttl_max_ms,
    service, version, endpoint, client, outcome)
  SELECT minute, sum(requests), sum(store_operations), sum(store_errors), sum(expired_retries), sum(executed_again),
         max(ttl_max_ms), '', '', '', '', outcome
  FROM ${from} WHERE minute = ANY ($1::timestamptz[]) GROUP BY minute, outcome`,
  },
  latency_all: {
    from: 'latency',
    sql: (into: string, from: string) => `
  INSERT INTO ${into} (minute, count, bucket, service, version, endpoint, client)
  SELECT minute, sum(count), bucket, '', '', '', ''
  FROM ${from} WHERE minute = ANY ($1::timestamptz[]) GROUP BY minute, bucket`,
  },
  /** client is '' */
  latency_route: {
    from: 'latency',
    sql: (into: string, from: string) => `
  INSERT INTO ${into} (minute, buckets, counts, service, version, endpoint, client)
  SELECT minute, array_agg(bucket ORDER BY bucket), array_agg(count ORDER BY bucket), service, version, endpoint, ''
  FROM (
    SELECT minute, bucket, sum(count)::bigint AS count, service, version, endpoint
    FROM ${from} WHERE minute = ANY ($1::timestamptz[]) GROUP BY minute, bucket, service, version, endpoint
  ) merged GROUP BY minute, service, version, endpoint`,
  },
} as const satisfies Record<string, { from: RollUpKind; sql: (into: string, from: string) => string }>
export type DerivedKind = keyof typeof DERIVED
export const DERIVED_KINDS = Object.keys(DERIVED) as DerivedKind[]

export const forgetSteps = (step: Step | 'minute', kind: RollUpKind | DerivedKind) =>
  `DELETE FROM telemetry.${step}_${kind} WHERE minute = ANY ($1::timestamptz[])`

/** After forgetSteps of the same kind, in the transaction that changed what it is derived from. */
export function derive(step: Step | 'minute', kind: DerivedKind): string {
  const { from, sql } = DERIVED[kind]
  return sql(`telemetry.${step}_${kind}`, `telemetry.${step}_${from}`)
}

/** The steps of this length that the minutes $1 lie in. */
const stepsOf = (length: string) =>
  `SELECT DISTINCT date_bin('${length}', minute, 'epoch') AS at FROM unnest($1::timestamptz[]) AS minute`
const TENS = stepsOf(ROLL_UP_LOCK)

/** Histograms of an endpoint over the ten minutes that the minutes $1 lie in: from all their minutes. */
export const FORGET_TENS = `DELETE FROM telemetry.ten_latency_route WHERE minute IN (${TENS})`
export const DERIVE_TENS = `
  INSERT INTO telemetry.ten_latency_route (minute, buckets, counts, service, version, endpoint, client)
  SELECT at, array_agg(bucket ORDER BY bucket), array_agg(count ORDER BY bucket), service, version, endpoint, ''
  FROM (
    SELECT ten.at, bucket, sum(count)::bigint AS count, service, version, endpoint
    FROM (${TENS}) ten
    JOIN telemetry.minute_latency_route f ON f.minute >= ten.at AND f.minute < ten.at + interval '${ROLL_UP_LOCK}'
    CROSS JOIN LATERAL unnest(buckets, counts) AS entry(bucket, count)
    GROUP BY ten.at, bucket, service, version, endpoint
  ) merged GROUP BY at, service, version, endpoint`

/** Each step divides ROLL_UP_LOCK. */
const STEPS_OF_MINUTES = `(
    SELECT DISTINCT seconds, date_bin(make_interval(secs => seconds), minute, 'epoch') AS at
    FROM unnest($1::timestamptz[]) AS minute, unnest('{${SHORT_STEPS_SECONDS.join()}}'::integer[]) AS seconds
  ) step`

export const FORGET_POINTS = `
  DELETE FROM telemetry.minute_latency_point p USING ${STEPS_OF_MINUTES}
  WHERE p.seconds = step.seconds AND p.minute = step.at`

/** The first bucket in which the rank ⌈q·n⌉ lies, of `seen` as it runs up to `total`. */
const percentile = (quantile: string) => `min(bucket) FILTER (WHERE seen >= ceil(${quantile} * total))`

/** Percentiles of `step (at, bucket, count)`, which the caller defines before. */
export const PERCENTILES_OF_STEPS = `
  SELECT at, max(total)::bigint AS count, ${percentile('0.5')} AS p50, ${percentile('0.95')} AS p95, ${percentile('0.99')} AS p99
  FROM (
    SELECT at, bucket, sum(count) OVER (PARTITION BY at ORDER BY bucket) AS seen, sum(count) OVER (PARTITION BY at) AS total
    FROM step
  ) running GROUP BY at`

/** Of the steps that the minutes $1 lie in: from all their minutes. */
export const derivePoints = (seconds: number) => `
  WITH step AS (
    SELECT step.at, f.bucket, sum(f.count)::bigint AS count
    FROM (${stepsOf(`${seconds} seconds`)}) step
    JOIN telemetry.minute_latency_all f ON f.minute >= step.at AND f.minute < step.at + interval '${seconds} seconds'
    GROUP BY step.at, f.bucket
  )
  INSERT INTO telemetry.minute_latency_point (minute, count, p50, p95, p99, seconds)
  SELECT point.*, ${seconds} FROM (${PERCENTILES_OF_STEPS}) point`

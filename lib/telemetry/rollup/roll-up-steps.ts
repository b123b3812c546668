/** Hours are summed from minutes, days from hours. */
export type Step = 'hour' | 'day'
const FINER = { hour: 'minute', day: 'hour' } as const
const dirtyOf = (step: Step) => `telemetry.dirty_${step}`

/**
 * Steps that ended before $1 and changed since they were summed, the newest first, under a transaction lock each;
 * $2 = how many. A day waits for its hours. Until then readers take the finer steps.
 */
export const claimSteps = (step: Step) => `
  SELECT at FROM (
    SELECT DISTINCT ${step} AS at FROM ${dirtyOf(step)} d
    WHERE ${step} <= $1::timestamptz - interval '1 ${step}'
    ${step === 'day' ? "AND NOT EXISTS (SELECT FROM telemetry.dirty_hour h WHERE h.hour >= d.day AND h.hour < d.day + interval '1 day')" : ''}
    ORDER BY 1 DESC LIMIT $2
  ) candidate
  WHERE pg_try_advisory_xact_lock(hashtextextended('telemetry.roll_up ${step} ' || extract(epoch FROM at), 0))`

/** Before summing, in a statement of its own: marks that are committed later stay. $1 = the steps. */
export const unmarkSteps = (step: Step) =>
  `DELETE FROM ${dirtyOf(step)} WHERE ${step} = ANY ($1::timestamptz[])`

const SUMMED = {
  request: {
    sums: 'sum(requests), sum(store_operations), sum(store_errors), sum(expired_retries), sum(executed_again), max(ttl_max_ms)',
    into: 'requests, store_operations, store_errors, expired_retries, executed_again, ttl_max_ms',
    by: ', outcome',
  },
  latency: { sums: 'sum(count)', into: 'count', by: ', bucket' },
  effect: { sums: 'sum(committed), sum(duplicates)', into: 'committed, duplicates', by: ', name' },
  delivery: { sums: 'sum(messages), sum(redeliveries)', into: 'messages, redeliveries', by: '' },
} as const
export type RollUpKind = keyof typeof SUMMED
export const ROLL_UP_KINDS = Object.keys(SUMMED) as RollUpKind[]

/** The column is called `minute` in all of them: where the step starts. */
export function sumSteps(step: Step, kind: RollUpKind): string {
  const { sums, into, by } = SUMMED[kind]
  return `
  INSERT INTO telemetry.${step}_${kind} (minute, ${into}, service, version, endpoint, client${by})
  SELECT s.at, ${sums}, service, version, endpoint, client${by}
  FROM unnest($1::timestamptz[]) AS s(at)
  JOIN telemetry.${FINER[step]}_${kind} f ON f.minute >= s.at AND f.minute < s.at + interval '1 ${step}'
  GROUP BY s.at, service, version, endpoint, client${by}`
}

import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rollUpRows } from '@/lib/telemetry/rollup/roll-up-rows'
import { toMinutes } from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

/** More callers than roll-ups keep apart. */
const CLIENTS_MAX = 1_001

const rowSchema = z.object({
  client: z.string(),
  keyed: bigintColumn,
  unkeyed: bigintColumn,
  replayed: bigintColumn,
  mismatches: bigintColumn,
  expired_retries: bigintColumn,
})

/** `client` is '' where the request did not tell, and '(other)' beyond those that are kept apart. */
export type ClientRequests = z.infer<typeof rowSchema>

/** Requests without a key count on routes that had at least one keyed request of any caller in the window. */
const SQL = `
  WITH counted AS (
    SELECT service, endpoint, client, outcome, sum(requests) AS requests, sum(expired_retries) AS expired_retries
    FROM ${rollUpRows('request', 'day', 'outcome, requests, expired_retries, service, endpoint, client')}
    GROUP BY service, endpoint, client, outcome
  ), keyed_route AS (
    SELECT DISTINCT service, endpoint FROM counted WHERE outcome <> 'unkeyed'
  )
  SELECT client,
    coalesce(sum(requests) FILTER (WHERE outcome <> 'unkeyed'), 0)::text AS keyed,
    coalesce(sum(requests) FILTER (WHERE outcome = 'unkeyed'), 0)::text AS unkeyed,
    coalesce(sum(requests) FILTER (WHERE outcome = 'replayed'), 0)::text AS replayed,
    coalesce(sum(requests) FILTER (WHERE outcome = 'mismatch'), 0)::text AS mismatches,
    sum(expired_retries)::text AS expired_retries
  FROM counted JOIN keyed_route USING (service, endpoint)
  GROUP BY client ORDER BY sum(requests) DESC, client LIMIT ${CLIENTS_MAX}`

/** Requests of each caller on routes that take keys, from roll-ups: exact over whole minutes. */
export function readClientRequests(db: Db, window: { from: Date; to: Date }): Promise<ClientRequests[]> {
  const { from, to } = toMinutes(window)
  return readRows(db.pool, rowSchema, SQL, [from, to])
}

import { z } from 'zod'
import type { Db } from '@/lib/db'
import { UNCOUNTED_OUTCOMES } from '@/lib/telemetry/measures/define-rates'
import { readKeysOfWindow } from '../keys-of-window'

/** Lives that are longer than the shorter TTL are few; beyond these the figures are lower bounds. */
const LIVES_MAX = 20_000
/** Of one key. */
const REQUESTS_MAX = 1_000

const rowSchema = z.object({
  keys: z.coerce.number(),
  observed_ms: z.coerce.number().nullable(),
  lives: z.array(z.array(z.number())).nullable(),
  more: z.boolean(),
})

/** Another body is another operation, and what the store had no say in runs whatever its TTL. */
const LEFT_OUT = `'{${[...UNCOUNTED_OUTCOMES, 'mismatch'].join()}}'::text[]`
const COUNTED = `s.time >= $1 AND s.time < $2 AND s.key_hash IS NOT NULL AND s.outcome <> ALL (${LEFT_OUT})
      AND ($3::text IS NULL OR s.endpoint = $3)`
const EPOCH_MS = '(extract(epoch FROM s.time) * 1000)::float8'

/** Of most keys there is one request, their first: these are only counted. */
const SQL = `
  WITH again AS MATERIALIZED (
    SELECT DISTINCT key_hash FROM telemetry.keyed_request s WHERE ${COUNTED} AND (s.duplicate OR NOT s.first_seen)
  ), life AS MATERIALIZED (
    SELECT max(s.time) - min(s.time) AS lasted, (array_agg(${EPOCH_MS} ORDER BY s.time))[1:${REQUESTS_MAX}] AS times,
      count(*) > ${REQUESTS_MAX} AS cut
    FROM again JOIN telemetry.keyed_request s USING (key_hash) WHERE ${COUNTED} GROUP BY s.scope, s.key_hash
  ), long AS (
    SELECT times, cut FROM life WHERE lasted >= $4 * interval '1 ms' ORDER BY lasted DESC LIMIT ${LIVES_MAX + 1}
  ), counted AS (
    SELECT count(*) FILTER (WHERE a.key_hash IS NULL) AS alone, extract(epoch FROM max(s.time) - min(s.time)) * 1000 AS observed_ms
    FROM telemetry.keyed_request s LEFT JOIN again a USING (key_hash) WHERE ${COUNTED}
  )
  SELECT alone + (SELECT count(*) FROM life) AS keys, observed_ms,
    (SELECT json_agg(times) FROM (SELECT times FROM long LIMIT ${LIVES_MAX}) shown) AS lives,
    (SELECT count(*) > ${LIVES_MAX} OR coalesce(bool_or(cut), false) FROM long) AS more
  FROM counted`

export type RetryLives = {
  keys: number
  /** From the first to the last request of the window; 0 without one. */
  observedMs: number
  /** When the requests of a key came, oldest first, in epoch ms: of keys that came for longer than was asked. */
  lives: number[][]
  /** There are more than were read: what is made of them is a lower bound. */
  more: boolean
}

/** Keys of a window, of one endpoint or all, and the lives of those that came again after `longerThanMs` or later. */
export async function readRetryLives(
  db: Db,
  asked: { from: Date; to: Date; endpoint?: string | undefined; longerThanMs: number },
): Promise<RetryLives> {
  const [row] = await readKeysOfWindow(db, rowSchema, SQL, asked, [
    asked.endpoint ?? null,
    asked.longerThanMs,
  ])
  return {
    keys: row?.keys ?? 0,
    observedMs: row?.observed_ms ?? 0,
    lives: row?.lives ?? [],
    more: row?.more ?? false,
  }
}

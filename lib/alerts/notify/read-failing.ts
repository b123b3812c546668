import { z } from 'zod'
import { RECEIVER_KINDS } from '@/lib/core/receiver-kinds'
import type { Db } from '@/lib/db'

/** So many tries in a row that a receiver did not accept: it is dead. */
const FAILURES_MIN = 3
/** What failed longer ago than this, and was not tried since, says nothing about now. */
const LOOK_BACK_MS = 24 * 3_600_000

/** Receivers whose last tries all failed, since when, and what the last one answered. */
const FAILING = `
  SELECT r.id, r.name, r.kind, t.failures, t.since, t.last_at AS "lastAt",
    coalesce(t.last->>'error', 'It answered ' || (t.last->>'status')) AS "lastError"
  FROM receiver r CROSS JOIN LATERAL (
    SELECT count(*)::int AS failures, min(t.at) AS since, max(t.at) AS last_at,
      (array_agg(t.result ORDER BY t.at DESC))[1] AS last
    FROM delivery_try t JOIN delivery d ON d.id = t.delivery_id
    WHERE d.receiver_id = r.id AND d.created_at > $1 AND NOT t.accepted AND t.at > coalesce((
      SELECT max(g.at) FROM delivery_try g JOIN delivery e ON e.id = g.delivery_id
      WHERE e.receiver_id = r.id AND e.created_at > $1 AND g.accepted), '-infinity')) t
  WHERE r.removed_at IS NULL AND t.failures >= $2
  ORDER BY t.since, r.id`

const rowSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    kind: z.enum(RECEIVER_KINDS),
    failures: z.number(),
    since: z.date(),
    lastAt: z.date(),
    lastError: z.string().nullable(),
  })
  .transform((row) => ({ ...row, since: row.since.toISOString(), lastAt: row.lastAt.toISOString() }))

export type FailingReceiver = z.output<typeof rowSchema>

/** Receivers of notifications that take nothing any more. */
export async function readFailingReceivers(db: Db, now: Date): Promise<FailingReceiver[]> {
  const { rows } = await db.pool.query(FAILING, [new Date(now.getTime() - LOOK_BACK_MS), FAILURES_MIN])
  return z.array(rowSchema).parse(rows)
}

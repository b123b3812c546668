import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'

export type Bucket = { key: string; limit: number; windowMs: number }

/** Ended windows go with each attempt, more than an attempt makes: the table is as large as the attempts of a window. */
const PRUNE = `
  DELETE FROM attempt_count WHERE key IN (
    SELECT key FROM attempt_count WHERE ends_at <= $1 ORDER BY ends_at LIMIT 20 FOR UPDATE SKIP LOCKED)`

const COUNT = `
  INSERT INTO attempt_count AS c (key, count, ends_at)
  VALUES ($1, 1, $2::timestamptz + $3 * interval '1 millisecond')
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN c.ends_at <= $2 THEN 1 ELSE c.count + 1 END,
    ends_at = CASE WHEN c.ends_at <= $2 THEN excluded.ends_at ELSE c.ends_at END
  RETURNING count, ends_at`

/** In the order of keys, so that two people who sign in at once never wait for each other. */
const GIVE_BACK = `
  UPDATE attempt_count SET count = greatest(count - 1, 0)
  WHERE key IN (SELECT key FROM attempt_count WHERE key = ANY($1) ORDER BY key FOR UPDATE)`

const rowSchema = z.object({ count: z.number(), ends_at: z.date() })

/** Counts one attempt. Null = go on; else the milliseconds until its window ends. */
export async function countAttempt(
  { db, clock }: { db: Db; clock: Clock },
  { key, limit, windowMs }: Bucket,
): Promise<number | null> {
  const now = clock.now()
  await db.pool.query(PRUNE, [now])
  const { rows } = await db.pool.query(COUNT, [key, now, windowMs])
  const { count, ends_at } = rowSchema.parse(rows[0])
  return count > limit ? ends_at.getTime() - now.getTime() : null
}

/** What succeeded was no guess. */
export async function giveBack(db: Db, buckets: readonly Bucket[]): Promise<void> {
  await db.pool.query(GIVE_BACK, [buckets.map(({ key }) => key)])
}

/** Names and addresses are not kept in clear. */
export const bucketKey = (kind: string, ...parts: string[]): string =>
  `${kind}:${createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32)}`

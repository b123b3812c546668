import { createHash } from 'node:crypto'
import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'

const ATTEMPTS_MAX = 10
const WINDOW_MS = 5 * 60_000

const COUNT = `
  INSERT INTO rate_limit AS r (id, key, count, last_request) VALUES ($1, $1, 1, $2)
  ON CONFLICT (key) DO UPDATE
    SET count = CASE WHEN r.last_request <= $2 - $3::bigint THEN 1 ELSE r.count + 1 END,
        last_request = CASE WHEN r.last_request <= $2 - $3::bigint OR r.count < $4 THEN $2 ELSE r.last_request END
  RETURNING count, last_request::text`

const keyOf = (email: string): string =>
  `sign-in:${createHash('sha256').update(email.trim().toLowerCase()).digest('hex').slice(0, 32)}`

/** Counts an attempt on an account. Null = go on; else the seconds to wait. A success clears the count. */
export async function countSignInAttempt(db: Db, clock: Clock, email: string): Promise<number | null> {
  const now = clock.now().getTime()
  const { rows } = await db.pool.query<{ count: number; last_request: string }>(COUNT, [
    keyOf(email),
    now,
    WINDOW_MS,
    ATTEMPTS_MAX,
  ])
  const [row] = rows
  if (row === undefined || row.count <= ATTEMPTS_MAX) return null
  return Math.max(1, Math.ceil((Number(row.last_request) + WINDOW_MS - now) / 1000))
}

export async function clearSignInFailures(db: Db, email: string): Promise<void> {
  await db.prisma.rateLimit.deleteMany({ where: { key: keyOf(email) } })
}

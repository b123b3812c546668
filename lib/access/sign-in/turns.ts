import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { type Db, inTransaction } from '@/lib/db'
import { bucketKey } from './attempts'

/** Once many have guessed at an account, so often one of them is tried. */
const TURN_EVERY_MS = 30_000
/** Whoever has waited for a turn can take it for so long: longer than any window of attempts. */
const TURN_KEPT_MS = 10 * 60_000

const LOCK = 'SELECT pg_advisory_xact_lock(hashtextextended($1, 0))'
const OWN = 'SELECT ends_at FROM attempt_count WHERE key = $1 AND ends_at > $2'
const USE = 'DELETE FROM attempt_count WHERE key = $1'

/** The next turn that nobody has: its row ends when the one after it comes. */
const NEXT = `
  INSERT INTO attempt_count AS c (key, count, ends_at) VALUES ($1, 1, $2::timestamptz + $3 * interval '1 millisecond')
  ON CONFLICT (key) DO UPDATE SET ends_at = greatest(c.ends_at, $2) + $3 * interval '1 millisecond'
  RETURNING ends_at`

const KEEP = `
  INSERT INTO attempt_count (key, count, ends_at) VALUES ($1, 1, $2)
  ON CONFLICT (key) DO UPDATE SET ends_at = excluded.ends_at`

const rowSchema = z.object({ ends_at: z.date() })

type At = { db: Db; clock: Clock }
/** Who asks, and for which account. */
type Asking = { email: string; network: string }

const turnKey = ({ email, network }: Asking): string => bucketKey('turn', email, network)

/**
 * One attempt at an account in half a minute, in the order in which networks asked for it, each of which has one place at
 * a time: however often a stranger tries, somebody else waits for one turn of theirs. Null = it is this one's turn; else
 * the milliseconds until it comes. It is theirs for ten minutes then.
 */
export async function takeTurn({ db, clock }: At, asking: Asking): Promise<number | null> {
  const now = clock.now()
  const own = turnKey(asking)
  return inTransaction(db.pool, async (client) => {
    // Of many requests at once, one takes a place.
    await client.query(LOCK, [`idemscope.turns:${asking.email}`])
    const [kept] = (await client.query(OWN, [own, now])).rows.map((row) => rowSchema.parse(row))
    if (kept !== undefined) {
      const waitMs = kept.ends_at.getTime() - TURN_KEPT_MS - now.getTime()
      if (waitMs > 0) return waitMs
      await client.query(USE, [own])
      return null
    }
    const slow = bucketKey('slow', asking.email)
    const [next] = (await client.query(NEXT, [slow, now, TURN_EVERY_MS])).rows
    const waitMs = rowSchema.parse(next).ends_at.getTime() - TURN_EVERY_MS - now.getTime()
    if (waitMs <= 0) return null
    await client.query(KEEP, [own, new Date(now.getTime() + waitMs + TURN_KEPT_MS)])
    return waitMs
  })
}

/** A turn that could not be used is kept: nobody was tried. */
export async function returnTurn({ db, clock }: At, asking: Asking): Promise<void> {
  await db.pool.query(KEEP, [turnKey(asking), new Date(clock.now().getTime() + TURN_KEPT_MS)])
}

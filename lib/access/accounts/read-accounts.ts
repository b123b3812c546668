import { z } from 'zod'
import type { Db } from '@/lib/db'

/** How an account stands, beside its role. */
export type Account = {
  /** Until when its link can be used; null = none is open. */
  invitedUntil: string | null
  /** A password was set: its person has been here. */
  accepted: boolean
  /** Who may be behind it until a second administrator confirms it. */
  heldBy: string[]
  /** Its person has a code to read out. */
  hasCode: boolean
}

const SQL = `
  SELECT u.id,
    (SELECT max(i.expires_at) FROM invitation i
     WHERE i.user_id = u.id AND i.ended_at IS NULL AND i.expires_at > $1) AS invited_until,
    EXISTS (SELECT FROM account a WHERE a.user_id = u.id AND a.password IS NOT NULL) AS accepted,
    ARRAY(SELECT DISTINCT b.name FROM principal_link l JOIN "user" b ON b.id = l.by_id
          WHERE l.principal_id = u.id AND l.holds ORDER BY b.name) AS held_by,
    u.confirm_code IS NOT NULL AS has_code
  FROM "user" u`

const rowSchema = z.object({
  id: z.string(),
  invited_until: z.date().nullable(),
  accepted: z.boolean(),
  held_by: z.array(z.string()),
  has_code: z.boolean(),
})

/** By the user's id. The codes themselves are for their people alone: see readOwnCode. */
export async function readAccounts(db: Db, now: Date): Promise<Map<string, Account>> {
  const { rows } = await db.pool.query(SQL, [now])
  return new Map(
    z
      .array(rowSchema)
      .parse(rows)
      .map((row) => [
        row.id,
        {
          invitedUntil: row.invited_until?.toISOString() ?? null,
          accepted: row.accepted,
          heldBy: row.held_by,
          hasCode: row.has_code,
        },
      ]),
  )
}

/** What a person reads to a second administrator; null = nothing has to be confirmed. */
export async function readOwnCode(db: Db, userId: string): Promise<string | null> {
  const user = await db.prisma.user.findUnique({ where: { id: userId }, select: { confirmCode: true } })
  return user?.confirmCode ?? null
}

import { z } from 'zod'
import type { Db } from '@/lib/db'

const HASH = `
  SELECT a.password FROM account a JOIN "user" u ON u.id = a.user_id
  WHERE u.email = $1 AND a.provider_id = 'credential'`

/** Locked: a change that is under way is waited for, and one that comes later finds the session and ends it. */
const STILL_RIGHT = `
  SELECT a.password FROM account a JOIN "user" u ON u.id = a.user_id
  WHERE u.email = $1 AND a.provider_id = 'credential' AND NOT u.banned FOR SHARE OF a, u`

const readHash = (rows: unknown[]): string | null =>
  z.object({ password: z.string().nullable() }).optional().parse(rows[0])?.password ?? null

const answerSchema = z.object({ token: z.string() })

/**
 * Signs in, and takes it back when the password was replaced, or its person locked out, meanwhile: whoever does that ends
 * the sessions that there are, and this one may be written a moment later. Null = taken back.
 */
export async function signInUnlessReplaced(
  db: Db,
  email: string,
  signIn: () => Promise<Response>,
): Promise<Response | null> {
  const before = readHash((await db.pool.query(HASH, [email])).rows)
  const response = await signIn()
  if (!response.ok) return response
  const { token } = answerSchema.parse(await response.clone().json())
  const taken = await db.prisma.$transaction(async (tx) => {
    const rows = await tx.$queryRawUnsafe<unknown[]>(STILL_RIGHT, email)
    if (before !== null && readHash(rows) === before) return false
    await tx.session.deleteMany({ where: { token } })
    return true
  })
  return taken ? null : response
}

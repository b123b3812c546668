import { createHash, randomBytes, randomUUID } from 'node:crypto'
import type { Context } from '@/lib/context'
import { actorId } from '@/lib/core/actor'
import type { Tx } from '@/lib/db'

const PREFIX = 'inv_'
const SECRET_BYTES = 32
/** Long enough for a weekend, short enough that a forgotten link is worth nothing. */
const INVITATION_MS = 3 * 86_400_000

/** The secret is told only here: what is kept is its hash. */
export type Invited = { userId: string; email: string; secret: string; expiresAt: string }

export const hashSecret = (secret: string): string => createHash('sha256').update(secret).digest('hex')

/** The path of the page that takes the secret. It follows the #, which browsers send nowhere and proxies never log. */
export const invitationPath = (secret: string): string => `/invitation#${secret}`

/** A link by which its person sets a password, once; earlier ones of the account are void. */
export async function createInvitation(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock'>,
  user: { id: string; email: string },
): Promise<Invited> {
  const secret = `${PREFIX}${randomBytes(SECRET_BYTES).toString('base64url')}`
  const now = ctx.clock.now()
  const expiresAt = new Date(now.getTime() + INVITATION_MS)
  await endInvitations(tx, user.id, now)
  await tx.invitation.create({
    data: {
      id: `inv_${randomUUID()}`,
      userId: user.id,
      secretHash: hashSecret(secret),
      invitedBy: actorId(ctx.actor),
      createdAt: now,
      expiresAt,
    },
  })
  return { userId: user.id, email: user.email, secret, expiresAt: expiresAt.toISOString() }
}

/** Returns how many there were. */
export async function endInvitations(tx: Tx, userId: string, now: Date): Promise<number> {
  const ended = await tx.invitation.updateMany({ where: { userId, endedAt: null }, data: { endedAt: now } })
  return ended.count
}

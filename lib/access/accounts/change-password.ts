import { z } from 'zod'
import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { AppError } from '@/lib/core/errors'
import { countAttempt } from '../sign-in/attempts'
import { hashPassword, passwordMatches, passwordSchema } from '../sign-in/hashing'
import { type EndOpenRequests, replaceCredentials } from './credentials'
import { lockUsers } from './names'

const MINUTE_MS = 60_000
/** A person who sits down at an open session, or stole one, does not guess on. */
const PER_SESSION = { limit: 5, windowMs: 15 * MINUTE_MS }

const inputSchema = z.object({
  sessionId: z.string(),
  current: z.string().max(128),
  next: passwordSchema,
})

/** Replaces one's own password; other sessions end. Too many wrong ones end this session too. */
export async function changeOwnPassword(
  ctx: Context & { endOpenRequests: EndOpenRequests },
  raw: z.input<typeof inputSchema>,
): Promise<void> {
  const { actor, clock, db } = ctx
  if (actor.kind !== 'user' || actor.via !== 'session')
    throw new AppError('forbidden', 'Sign in to change your password: a token cannot.')
  const { sessionId, current, next } = inputSchema.parse(raw)
  if ((await countAttempt(ctx, { key: `password:${sessionId}`, ...PER_SESSION })) !== null) {
    await db.prisma.session.deleteMany({ where: { id: sessionId } })
    throw new AppError('rate_limited', 'Too many wrong passwords: this session has ended. Sign in again.')
  }
  const account = await db.prisma.account.findFirst({
    where: { userId: actor.userId, providerId: 'credential' },
  })
  if (!account?.password || !(await passwordMatches(account.password, current)))
    throw new AppError('unprocessable', 'The current password is wrong.')
  if (current === next) throw new AppError('unprocessable', 'The new password is the current one.')
  const hashedPassword = await hashPassword(next)
  await db.prisma.$transaction(async (tx) => {
    // Whoever replaced it since the current one was checked has shut this session out: theirs stands.
    await lockUsers(tx)
    const unchanged = await tx.account.count({ where: { id: account.id, password: account.password } })
    if (unchanged === 0)
      throw new AppError('forbidden', 'The password was replaced just now: sign in with the new one.')
    const now = clock.now()
    const user = { id: actor.userId }
    await replaceCredentials(tx, ctx, user, { hashedPassword, now, keepSessionId: sessionId })
    await tx.auditEntry.create({
      data: auditRow(ctx, { verb: 'user.change_password', subject: user.id, outcome: 'done' }),
    })
  })
}

import { z } from 'zod'
import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'

const inputSchema = z.object({ userId: z.string().max(64), banned: z.boolean(), reason: reasonSchema })

/**
 * Locks a user out, or lets them in again: sessions end at once, tokens within the cache's 10 s. What they did stays under
 * their name, which is why nobody is deleted. The last admin, and oneself, cannot be locked out.
 */
export async function setBanned(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'user.manage')
  const { userId, banned, reason } = inputSchema.parse(raw)
  if (banned && ctx.actor.kind === 'user' && ctx.actor.userId === userId)
    throw new AppError('unprocessable', 'You cannot lock yourself out: ask another admin.')
  await ctx.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('idemscope.users', 0))`
    const user = await tx.user.findUnique({ where: { id: userId } })
    if (user === null) throw new AppError('not_found', `There is no user ${userId}.`)
    const admins = await tx.user.count({ where: { role: 'admin', banned: false } })
    if (banned && user.role === 'admin' && !user.banned && admins < 2)
      throw new AppError('unprocessable', 'This is the last admin: make another one first.')
    await tx.user.update({ where: { id: userId }, data: { banned, updatedAt: ctx.clock.now() } })
    if (banned) await tx.session.deleteMany({ where: { userId } })
    await tx.auditEntry.create({
      data: auditRow(ctx, {
        verb: banned ? 'user.lock_out' : 'user.let_in',
        subject: userId,
        outcome: 'done',
        reason,
        before: { banned: user.banned },
        after: { banned },
      }),
    })
  })
}

import { z } from 'zod'
import type { Context } from '@/lib/context'
import { actorId } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { principalLinks } from '@/lib/core/principal-link'
import { reasonSchema } from '@/lib/core/reason'
import { endInvitations } from './accounts/invitation'
import { lockUsers } from './accounts/names'
import { assertAnotherAdmin } from './lower-role'

const inputSchema = z.object({ userId: z.string().max(64), banned: z.boolean(), reason: reasonSchema })

/**
 * Locks a user out, or lets them in again: sessions and invitations end at once, tokens within the cache's 10 s. What
 * they did stays under their name, which is why nobody is deleted. The last admin, and oneself, cannot be locked out.
 */
export async function setBanned(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'user.manage')
  const { userId, banned, reason } = inputSchema.parse(raw)
  if (banned && ctx.actor.kind === 'user' && ctx.actor.userId === userId)
    throw new AppError('unprocessable', 'You cannot lock yourself out: ask another admin.')
  await ctx.db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const user = await tx.user.findUnique({ where: { id: userId } })
    if (user === null) throw new AppError('not_found', `There is no user ${userId}.`)
    const now = ctx.clock.now()
    if (banned && user.role === 'admin' && !user.banned) await assertAnotherAdmin(tx, userId)
    // First: a sign-in that is under way waits for it, or its session is there to be ended.
    await tx.user.update({ where: { id: userId }, data: { banned, updatedAt: now } })
    if (banned) {
      await tx.session.deleteMany({ where: { userId } })
      await endInvitations(tx, userId, now)
    } else if (user.banned) {
      await tx.principalLink.createMany({
        data: principalLinks('let_in', userId, [actorId(ctx.actor)], ctx.clock.now()),
      })
    }
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

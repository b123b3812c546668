import { z } from 'zod'
import type { Context } from '@/lib/context'
import { actorId } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { principalLinks } from '@/lib/core/principal-link'
import { reasonSchema } from '@/lib/core/reason'
import { personOf } from './invite'
import { assertNameFree, lockUsers, personNameSchema } from './names'

const inputSchema = z.object({ userId: z.string().max(64), name: personNameSchema, reason: reasonSchema })

/** Another name for somebody: what they did before stays under the old one. Throws `conflict` when it is taken. */
export async function renameUser(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'user.manage')
  const { userId, name, reason } = inputSchema.parse(raw)
  await ctx.db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const user = await personOf(tx, userId)
    await assertNameFree(tx, name, userId)
    await tx.user.update({ where: { id: userId }, data: { name, updatedAt: ctx.clock.now() } })
    await tx.principalLink.createMany({
      data: principalLinks('renamed', userId, [actorId(ctx.actor)], ctx.clock.now()),
    })
    const change = { before: { name: user.name }, after: { name } }
    await tx.auditEntry.create({
      data: auditRow(ctx, { verb: 'user.rename', subject: userId, outcome: 'done', reason, ...change }),
    })
  })
}

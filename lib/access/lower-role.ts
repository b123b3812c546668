import { z } from 'zod'
import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { isHigherRole, ROLES } from '@/lib/core/permissions'
import { reasonSchema } from '@/lib/core/reason'
import type { Tx } from '@/lib/db'
import { lockUsers } from './accounts/names'

const inputSchema = z.object({ userId: z.string().max(64), role: z.enum(ROLES), reason: reasonSchema })

/**
 * Takes rights away, at once for tokens too (within the cache's 10 s). One administrator is enough, and it works while
 * writes are off: it only contains. The last admin stays one.
 */
export async function lowerRole(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'user.manage')
  const { userId, role, reason } = inputSchema.parse(raw)
  await ctx.db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const user = await tx.user.findUnique({ where: { id: userId } })
    if (user === null) throw new AppError('not_found', `There is no user ${userId}.`)
    const before = z.enum(ROLES).parse(user.role)
    if (isHigherRole(role, before))
      throw new AppError(
        'unprocessable',
        `Raising ${user.name} to ${role} takes a second administrator: propose it.`,
      )
    if (role !== 'admin' && before === 'admin') await assertAnotherAdmin(tx, userId)
    await tx.user.update({ where: { id: userId }, data: { role, updatedAt: ctx.clock.now() } })
    const entry = { verb: 'user.set_role', subject: userId, outcome: 'done', reason }
    await tx.auditEntry.create({
      data: auditRow(ctx, { ...entry, before: { role: before }, after: { role } }),
    })
  })
}

/** Throws `unprocessable` unless another administrator can sign in. */
export async function assertAnotherAdmin(tx: Tx, userId: string): Promise<void> {
  const others = await tx.user.count({
    where: { id: { not: userId }, role: 'admin', banned: false, accounts: { some: {} } },
  })
  if (others === 0) throw new AppError('unprocessable', 'This is the last admin: make another one first.')
}

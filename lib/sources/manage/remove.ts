import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { FORGET_TIMEOUT_MS, lockSource } from './change'
import { endReading } from './end-reading'
import { assertNothingUnderWay } from './under-way'

/**
 * Removes a source that is switched off, by a person who typed its name. Its credentials, what was read of it, where its readings
 * stood and its retention policies go. Cases with what they rest on, actions, archives and the audit log stay, and nothing
 * of before is concluded from its silence. Audited. Throws `conflict` while anything needs it, or it was changed meanwhile.
 */
export async function removeSource(
  ctx: Context,
  given: { id: string; version: number; name: string; reason: string },
): Promise<{ id: string; rowsForgotten: number }> {
  authorise(ctx, 'source.manage')
  const reason = reasonSchema.parse(given.reason)
  const { id } = given
  const rowsForgotten = await ctx.db.prisma.$transaction(
    async (tx) => {
      const source = await lockSource(tx, id)
      if (source.name !== given.name)
        throw new AppError('invalid', `Type the name of the source, ${source.name}, to remove it.`)
      if (source.version !== given.version)
        throw new AppError('conflict', `${source.name} was changed since you looked: look at it again first.`)
      await assertNothingUnderWay(tx, ctx, source, 'remove it')
      const how = { outcome: 'forgotten', ended: 'removed', policies: true } as const
      const rows = await endReading(tx, ctx, source, how)
      await tx.source.delete({ where: { id } })
      await tx.$executeRaw`SELECT clear_conditions_of(${id}, ${ctx.clock.now()})`
      const { adapter, kind, system, region, config } = source
      await tx.auditEntry.create({
        data: auditRow(ctx, {
          verb: 'source.remove',
          subject: source.name,
          outcome: 'done',
          reason,
          before: { id, adapter, kind, system, region, config },
          after: { rowsForgotten: rows },
        }),
      })
      return rows
    },
    { timeout: FORGET_TIMEOUT_MS },
  )
  return { id, rowsForgotten }
}

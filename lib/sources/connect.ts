import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { notFound } from './manage/change'
import { type SaveSource, saveSource } from './save'

/** A new source, by a person. A name that is taken is refused: a change names the one that was seen. Audited. */
export async function connectSource(
  ctx: Context,
  input: SaveSource & { reason: string },
  options: { credentialsKey?: string | undefined; demo?: boolean } = {},
): Promise<{ id: string }> {
  authorise(ctx, 'source.manage')
  const { reason: given, ...source } = input
  const reason = reasonSchema.parse(given)
  const id = await saveSource(ctx, source, {
    ...options,
    async inTransaction(tx, name) {
      if ((await tx.source.findUnique({ where: { name }, select: { id: true } })) !== null)
        throw new AppError('conflict', `There is a source ${name} already: choose another name.`)
      const { adapter, system, region = null, config } = source
      await tx.auditEntry.create({
        data: auditRow(ctx, {
          verb: 'source.connect',
          subject: name,
          outcome: 'done',
          reason,
          after: { name, adapter, system, region, config },
        }),
      })
    },
  })
  return { id }
}

/**
 * Switches a source off or on again, by a person. One that is off is read no more, and nothing is done in it. Its silence proves
 * nothing: runs of its system are incomplete, and no key is called free of effects, until it is on again. What was read of
 * it is kept. Audited. Throws `not_found`, and `conflict` where it is switched so already.
 */
export async function switchSource(
  ctx: Context,
  { id, on, reason: given }: { id: string; on: boolean; reason: string },
): Promise<{ id: string; enabled: boolean }> {
  authorise(ctx, 'source.manage')
  const reason = reasonSchema.parse(given)
  await ctx.db.prisma.$transaction(async (tx) => {
    const { count } = await tx.source.updateMany({
      where: { id, enabled: !on },
      data: { enabled: on, switchedOffAt: on ? null : ctx.clock.now(), version: { increment: 1 } },
    })
    const source = await tx.source.findUnique({ where: { id }, select: { name: true } })
    if (source === null) throw notFound(id)
    if (count === 0)
      throw new AppError('conflict', `${source.name} is switched ${on ? 'on' : 'off'} already.`)
    await tx.auditEntry.create({
      data: auditRow(ctx, {
        verb: on ? 'source.switch_on' : 'source.switch_off',
        subject: source.name,
        outcome: 'done',
        reason,
        before: { enabled: !on },
        after: { enabled: on },
      }),
    })
  })
  return { id, enabled: on }
}

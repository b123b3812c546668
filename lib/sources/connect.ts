import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { type SaveSource, saveSource } from './save'

/** A new source, by a person. A name that is taken is refused: changing one is for the command line. Audited. */
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
      const { adapter, system, config } = source
      await tx.auditEntry.create({
        data: auditRow(ctx, {
          verb: 'source.connect',
          subject: name,
          outcome: 'done',
          reason,
          after: { name, adapter, system, config },
        }),
      })
    },
  })
  return { id }
}

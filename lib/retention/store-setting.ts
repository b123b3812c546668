import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { Db } from '@/lib/db'

/** What people say of a store that it does not tell itself. */
type Name = 'store_capacity' | 'store_price'

export const ofStoreSchema = z.object({ source: z.string().startsWith('src_'), reason: reasonSchema })

/** By the store's id, as it was written. */
export async function readOfStores(db: Db, name: Name): Promise<[source: string, value: unknown][]> {
  const prefix = `${name}:`
  const rows = await db.prisma.setting.findMany({ where: { key: { startsWith: prefix } } })
  return rows.map(({ key, value }) => [key.slice(prefix.length), value])
}

/** For who may say it. null takes it away. `tell` = how the audit says what was kept; null = nothing. Changes nothing in the store. */
export async function writeOfStore(
  ctx: Context,
  name: Name,
  { source, reason }: z.output<typeof ofStoreSchema>,
  value: Record<string, string | number> | null,
  tell: (kept: unknown) => unknown,
): Promise<void> {
  const [key, now, by] = [`${name}:${source}`, ctx.clock.now(), actorLabel(ctx.actor)]
  await ctx.db.prisma.$transaction(async (tx) => {
    if ((await tx.source.findUnique({ where: { id: source }, select: { id: true } })) === null)
      throw new AppError('not_found', `There is no source ${source}.`)
    const before = await tx.setting.findUnique({ where: { key } })
    if (value === null) await tx.setting.deleteMany({ where: { key } })
    else
      await tx.setting.upsert({
        where: { key },
        create: { key, value, updatedAt: now, updatedBy: by },
        update: { value, version: { increment: 1 }, updatedAt: now, updatedBy: by },
      })
    await append(tx, ctx, {
      verb: `setting.${name}`,
      subject: source,
      outcome: 'done',
      reason,
      before: tell(before?.value ?? null),
      after: tell(value),
    })
  })
}

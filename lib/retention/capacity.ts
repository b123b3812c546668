import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { Db } from '@/lib/db'

const PREFIX = 'store_capacity:'
const valueSchema = z.object({ bytes: z.number() })

/** How much each store may hold, by its id, where somebody has said so: a database does not tell how large its disk is. */
export async function readCapacities(db: Db): Promise<Map<string, number>> {
  const rows = await db.prisma.setting.findMany({ where: { key: { startsWith: PREFIX } } })
  return new Map(
    rows.flatMap(({ key, value }) => {
      const { bytes } = valueSchema.parse(value)
      return bytes === 0 ? [] : [[key.slice(PREFIX.length), bytes] as const]
    }),
  )
}

const inputSchema = z.object({
  source: z.string().startsWith('src_'),
  /** 0 takes it away. */
  bytes: z.int().min(0),
  reason: reasonSchema,
})

/** Says how much a store may hold, from which its days left follow. Changes nothing in the store. */
export async function setCapacity(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'source.manage')
  const { source, bytes, reason } = inputSchema.parse(raw)
  const [key, now, by] = [PREFIX + source, ctx.clock.now(), actorLabel(ctx.actor)]
  await ctx.db.prisma.$transaction(async (tx) => {
    if ((await tx.source.findUnique({ where: { id: source }, select: { id: true } })) === null)
      throw new AppError('not_found', `There is no source ${source}.`)
    const before = await tx.setting.findUnique({ where: { key } })
    await tx.setting.upsert({
      where: { key },
      create: { key, value: { bytes }, updatedAt: now, updatedBy: by },
      update: { value: { bytes }, version: { increment: 1 }, updatedAt: now, updatedBy: by },
    })
    await append(tx, ctx, {
      verb: 'setting.store_capacity',
      subject: source,
      outcome: 'done',
      reason,
      before: before?.value ?? { bytes: 0 },
      after: { bytes },
    })
  })
}

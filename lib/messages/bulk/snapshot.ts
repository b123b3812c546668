import { z } from 'zod'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { MESSAGE_ACTION_KINDS } from '@/lib/core/states'

const itemSchema = z.object({
  letter: z.string(),
  sourceId: z.string(),
  place: z.string(),
  version: z.string(),
})
/** A message as it was seen when the snapshot was taken. */
export type SnapshotItem = z.infer<typeof itemSchema>

const previewSchema = z.object({ count: z.number(), money: z.number(), needsSecondPerson: z.boolean() })

export type ReadSnapshot = Awaited<ReturnType<typeof readSnapshot>>

/** Throws `not_found`, also for a snapshot of locks. */
export async function readSnapshot({ db }: Pick<Context, 'db'>, id: string) {
  const row = await db.prisma.snapshot.findUnique({ where: { id } })
  const verb = z.enum(MESSAGE_ACTION_KINDS).safeParse(row?.verb)
  if (row === null || !verb.success)
    throw new AppError('not_found', `There is no snapshot of messages ${id.slice(0, 100)}.`)
  const { money, needsSecondPerson } = previewSchema.parse(row.preview)
  return {
    ...{ id: row.id, verb: verb.data, money, needsSecondPerson, filter: row.filter },
    ...{ createdBy: row.createdBy, expiresAt: row.expiresAt, usedBy: row.usedBy },
    items: z.array(itemSchema).parse(row.items),
  }
}

export const letterOf = ({ letter }: SnapshotItem): string => letter

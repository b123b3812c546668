import type { Context } from '@/lib/context'
import type { Tx } from '@/lib/db'

/** Only one execution takes a snapshot; a larger one's run is enqueued in the same transaction. */
export function takeSnapshot<Run extends { id: string }>(
  { db }: Pick<Context, 'db'>,
  { id, items }: { id: string; items: readonly unknown[] },
  inlineMax: number,
  startRun: (tx: Tx) => Promise<Run>,
): Promise<'inline' | 'taken' | Run> {
  return db.prisma.$transaction(async (tx) => {
    const taken = await tx.snapshot.updateMany({ where: { id, usedBy: null }, data: { usedBy: 'inline' } })
    if (taken.count === 0) return 'taken'
    if (items.length <= inlineMax) return 'inline'
    const run = await startRun(tx)
    await tx.snapshot.update({ where: { id }, data: { usedBy: run.id } })
    return run
  })
}

import type { SystemContext } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import type { Tx } from '@/lib/db'
import type { Source } from '@/prisma/generated/client'

type Read = Pick<Source, 'id' | 'name' | 'kind' | 'adapter' | 'system'>

/**
 * Makes of what was read of a source what a change makes of it. `ended` = what it had said is no more, so that its silence about
 * what happened before proves nothing; what open cases rest on is kept then. Returns how many rows of the mirror went.
 */
export async function endReading(
  tx: Tx,
  { clock }: Pick<SystemContext, 'clock'>,
  source: Read,
  how: {
    outcome: 'kept' | 'read_again' | 'forgotten'
    ended: 'changed' | 'removed' | null
    /** Retention policies were agreed on for the records that were there. */
    policies: boolean
  },
): Promise<number> {
  const { id, name, kind, adapter, system } = source
  if (how.outcome === 'kept') return 0
  if (how.policies) await tx.retentionPolicy.deleteMany({ where: { sourceId: id } })
  const endedId = newId('end')
  if (how.ended !== null) {
    const removed = how.ended === 'removed'
    await tx.endedReading.create({
      data: { id: endedId, sourceId: id, name, kind, adapter, system, removed, at: clock.now() },
    })
  }
  if (how.outcome === 'read_again') {
    await tx.$queryRaw`SELECT forget_position(${id}, ${system})::text`
    return 0
  }
  const rows = await tx.$queryRaw<{ gone: bigint }[]>`
    SELECT forget_reading(${id}, ${system}, ${how.ended !== null}) AS gone`
  // Under the id of the source they would stand in the way of other records with the same ids.
  if (how.ended === 'changed') await tx.$queryRaw`SELECT set_apart(${id}, ${endedId})::text`
  return Number(rows[0]?.gone ?? 0)
}

export type EndedReading = { kind: string; name: string; at: Date }

/** Until when sources of a system had been read that say nothing of that time any more. */
export const endedReadings = (db: Pick<Tx, 'endedReading'>, system: string): Promise<EndedReading[]> =>
  db.endedReading.findMany({ where: { system }, select: { kind: true, name: true, at: true } })

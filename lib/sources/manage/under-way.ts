import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { Tx } from '@/lib/db'
import type { Source } from '@/prisma/generated/client'

/** Clocks of processes differ, and a run may have looked just before the switch was committed. */
const SWITCH_MARGIN_MS = 5_000

/** A run of these kinds uses no source. */
const WITHOUT_SOURCES = ['roll_up', 'partitions', 'sealing', 'notification']

/**
 * Throws `conflict` while the source is on, a run may still use it as it was, or an action on it, or on the money of its
 * system, has not ended. One that is off is opened by nobody, so that after this nothing writes what was read of it before.
 */
export async function assertNothingUnderWay(
  tx: Tx,
  { clock }: Pick<SystemContext, 'clock'>,
  source: Pick<Source, 'id' | 'name' | 'system' | 'kind' | 'enabled' | 'switchedOffAt' | 'lastOkAt'>,
  toDo: string,
): Promise<void> {
  const { id, name, system } = source
  if (source.enabled)
    throw new AppError('conflict', `${name} is switched on: switch it off first, then ${toDo}.`)
  const offAt = source.switchedOffAt ?? clock.now()
  const run = await tx.run.findFirst({
    where: {
      state: 'running',
      kind: { notIn: WITHOUT_SOURCES },
      startedAt: { lte: new Date(offAt.getTime() + SWITCH_MARGIN_MS) },
    },
    orderBy: { startedAt: 'asc' },
  })
  if (run !== null)
    throw new AppError(
      'conflict',
      `Run ${run.id} (${run.kind.replaceAll('_', ' ')}) began before ${name} was switched off and may still use it: wait until it ends, or cancel it.`,
    )
  const isMoney = source.kind === 'ledger' || source.kind === 'provider'
  const [action] = await tx.$queryRaw<{ id: string; kind: string; state: string }[]>`
    SELECT a.id, a.kind, a.state FROM action a
    WHERE a.state IN ('proposed', 'approved', 'executing', 'unknown') AND (a.source_id = ${id}
      OR ${isMoney} AND EXISTS (SELECT FROM reconciliation_case c
        WHERE c.id = a.case_id AND c.system = ${system} AND c.lifecycle <> 'resolved'))
    ORDER BY a.created_at LIMIT 1`
  if (action !== undefined)
    throw new AppError(
      'conflict',
      `Action ${action.id} (${action.kind.replaceAll('_', ' ')}, ${action.state}) needs ${name}: let it end, or reject it, first. What cannot be settled while it is off is settled once it is on again.`,
    )
}

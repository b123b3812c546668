import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { KeyAction } from '@/lib/core/states'
import { keySettings } from '@/lib/locks/settings'
import { operateKey } from '@/lib/locks/verbs/operate-key'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import type { ReconciliationCase } from '@/prisma/generated/client'
import { noteOnCase } from '../case-note'
import { closeWhenCorrected } from '../close-corrected'

/** Release and complete are the verbs of the key: same evidence, same compare-and-set, same audit. */
export async function operateStuckKey(
  ctx: Context,
  row: ReconciliationCase,
  verb: KeyAction,
  reason: string,
  settings: ReconcileSettings,
): Promise<ActionView> {
  if (row.scope === null || row.key === null) throw new AppError('unprocessable', 'The case has no key.')
  const sources = await ctx.db.prisma.source.findMany({
    where: { system: row.system, kind: 'intent' },
    select: { id: true },
  })
  const lock = await ctx.db.prisma.lock.findFirst({
    where: { sourceId: { in: sources.map(({ id }) => id) }, scope: row.scope, key: row.key, goneAt: null },
    orderBy: { acquiredAt: 'desc' },
  })
  if (lock === null) throw new AppError('conflict', 'The key is no longer held: wait for the next run.')
  const action = await operateKey(
    ctx,
    verb,
    {
      sourceId: lock.sourceId,
      scope: lock.scope,
      key: lock.key,
      seen: lock.version,
      reason,
      lockId: lock.id,
      caseId: row.id,
    },
    {
      settings: {
        ...keySettings(),
        graceMs: settings.leaseGraceMs,
        skewMs: settings.clockSkewMs,
        settleDelayMs: settings.settleDelayMs,
        callMs: settings.callMs,
      },
    },
  )
  await ctx.db.prisma.$transaction((tx) =>
    noteOnCase(tx, ctx, row.id, action.state, { actionId: action.id, kind: verb }),
  )
  if (action.state === 'done') await closeWhenCorrected(ctx, row.id, action.id, settings)
  return action
}

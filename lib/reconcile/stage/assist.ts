import type { SystemContext } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import { claimableFeeds } from '@/lib/mirror/range'
import type { RunHandle } from '@/lib/runs/handle'
import { readProcesses } from '@/lib/runs/processes'
import { startRunIn } from '@/lib/runs/start'
import { openSystem } from '@/lib/sources/registry'
import { type ReconcileSettings, reconcileSettings } from '../settings'
import type { StageContext } from './batch'
import { ledgerRangeWork } from './load-ledger'
import { rangeWork } from './stage-provider'
import { workRanges } from './work-ranges'

/** A pass does not take every worker: other work goes on beside it. */
const HELPERS_MAX = 8

/** What staging under a run needs: its fence in every batch, and helpers through the queue. */
export function stagingContext(ctx: SystemContext, handle: RunHandle, system: string): StageContext {
  return {
    ...ctx,
    owner: handle.id,
    inBatch: (client) => handle.report({}, client),
    beat: () => handle.report({}),
    askForHelp: (ranges) => askForHelp(ctx, handle, system, ranges),
  }
}

/** One job for each other worker that is alive; a job that finds nothing to take ends at once. */
async function askForHelp(
  ctx: SystemContext,
  handle: RunHandle,
  system: string,
  ranges: number,
): Promise<void> {
  const workers = (await readProcesses(ctx.db, ctx.clock)).filter(
    ({ kind, fresh }) => kind === 'worker' && fresh,
  )
  const helpers = Math.min(ranges, workers.length - 1, HELPERS_MAX)
  const actor = { kind: 'system', job: 'reconciliation' } as const
  for (let helper = 0; helper < helpers; helper++) {
    await ctx.db.prisma.$transaction((tx) =>
      startRunIn(
        tx,
        { ...ctx, actor, requestId: newId('req') },
        { kind: 'staging', params: { system, assist: handle.id, helper } },
      ),
    )
  }
}

/** Takes ranges of the passes that are under way in a system until there is none to be had. */
export async function assist(
  ctx: StageContext,
  system: string,
  settings: ReconcileSettings = reconcileSettings(),
): Promise<number> {
  const { providers, ledgers } = await openSystem(ctx, system)
  let read = 0
  for (const open of providers) {
    for (const feed of await claimableFeeds(ctx.db, open.id)) {
      read += await workRanges(ctx, { sourceId: open.id, feed }, rangeWork(ctx, open, settings))
    }
  }
  for (const open of ledgers) {
    for (const feed of await claimableFeeds(ctx.db, open.id)) {
      read += await workRanges(ctx, { sourceId: open.id, feed }, ledgerRangeWork(ctx, open))
    }
  }
  return read
}

import type { SystemContext } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import { type CollectionMode, type IntentSource, SourceUnavailableError } from '@/lib/sources/contracts'
import { type OpenSource, openIntentSource, openIntentSources } from '@/lib/sources/registry'
import { collectPartitions } from './collect-partitions'
import { collectRows, PACE, type RowPace } from './collect-rows'
import { findUnfinished } from './find-unfinished'
import { floorOf } from './policy/floor'
import { listPolicies, policyOfTier, rowRetentionOf } from './policy/policies'
import { addTo, emptyTally, type Tally, tallyCounts } from './tally'

/** Behind another session a partition is tried again for this long; then it waits for the next run. */
const RETRY_FOR_MS = 5_000

export type CollectOptions = { safetyMs?: number; retryForMs?: number; pace?: RowPace }

/**
 * Collects what is past its retention, each store in the way that it allows, on the store's own clock. An unfinished key
 * is never among it: those past their retention are listed as `reaped_unfinished`, for a person. A dry run says what it
 * would take. Safe to run again from anywhere.
 */
export async function collect(
  ctx: SystemContext,
  handle: RunHandle,
  params: { source?: string | undefined },
  options: CollectOptions = {},
): Promise<RunResult> {
  const stores =
    params.source === undefined ? await openIntentSources(ctx) : [await openIntentSource(ctx, params.source)]
  const tally = emptyTally()
  for (const [index, store] of stores.entries()) {
    const own = emptyTally()
    const mode = modeOf(store)
    try {
      await collectStore(ctx, handle, store, mode, options, own)
    } catch (error) {
      if (!(error instanceof SourceUnavailableError)) throw error
      await handle.log('warn', `${store.name} cannot be reached`, { source: store.id })
      own.unreachable.push(store.id)
    }
    if (!handle.dryRun) await mark(ctx, handle, store.id, mode, own)
    addTo(tally, own)
    await handle.report({ progress: (index + 1) / stores.length, counts: tallyCounts(tally) })
  }
  return {
    outcome: stores.length === 0 ? 'no_store' : outcomeOf(handle, tally),
    counts: tallyCounts(tally),
  }
}

function modeOf({ source: { capabilities } }: OpenSource<IntentSource>): CollectionMode {
  const { canCollect, collection } = capabilities
  if (canCollect) return collection ?? 'drop_partitions'
  return collection === 'by_engine' ? collection : 'report_only'
}

async function collectStore(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  mode: CollectionMode,
  options: CollectOptions,
  tally: Tally,
): Promise<void> {
  const policies = await listPolicies(ctx.db, store.id)
  const safety = options.safetyMs === undefined ? {} : { safetyMs: options.safetyMs }
  switch (mode) {
    case 'drop_partitions': {
      const policyOf = (tier: string) => ({ ...policyOfTier(policies, tier), ...safety })
      await collectPartitions(
        ctx,
        handle,
        store,
        { policyOf, retryForMs: options.retryForMs ?? RETRY_FOR_MS },
        tally,
      )
      return
    }
    case 'batched_delete': {
      const floor = await floorOf(ctx, store)
      if (floor === null) return
      const retention = { ...rowRetentionOf(policies, floor.providerWindowMs), ...safety }
      const ended = await collectRows(ctx, handle, store, retention, tally, options.pace ?? PACE)
      if (ended === 'busy') {
        tally.busy += 1
        await handle.log('info', `${store.name} is busy: the next run goes on`, { source: store.id })
      }
      return
    }
    case 'by_engine':
    case 'report_only':
      tally.unfinished.push(...(await findUnfinished(store)))
      return
    default:
      mode satisfies never
  }
}

/** One mark a run and source, for the storage page; nothing collected and nothing found leaves none. */
async function mark(
  ctx: SystemContext,
  handle: RunHandle,
  sourceId: string,
  mode: CollectionMode,
  tally: Tally,
): Promise<void> {
  if (tally.rows === 0n && tally.partitions === 0 && tally.archives === 0) return
  const data = {
    at: ctx.clock.now(),
    mode,
    rows: tally.rows,
    bytes: tally.bytes,
    unfinished: tally.unfinished.length,
    archives: tally.archives,
  }
  await ctx.db.prisma.collectionMark.upsert({
    where: { sourceId_runId: { sourceId, runId: handle.id } },
    create: { id: newId('mark'), sourceId, runId: handle.id, ...data },
    // A run that was killed goes on as the same run.
    update: {
      ...data,
      rows: { increment: data.rows },
      bytes: { increment: data.bytes },
      archives: { increment: data.archives },
    },
  })
}

const outcomeOf = (handle: RunHandle, tally: Tally): string =>
  tally.unreachable.length > 0
    ? 'incomplete'
    : tally.busy > 0
      ? 'busy'
      : handle.dryRun
        ? 'dry_run'
        : 'collected'

import type { SystemContext } from '@/lib/context'
import { env } from '@/lib/env'
import type { RunHandle, RunResult } from '@/lib/runs/handle'
import type { IntentSource, StoreLeaf } from '@/lib/sources/contracts'
import { type OpenSource, openIntentSource, openIntentSources } from '@/lib/sources/registry'
import { findUnfinished, type Unfinished } from './find-unfinished'

/** Behind a reader a leaf is tried again this often, for this long; then it waits for the next run. */
const RETRY_EVERY_MS = 250
const RETRY_FOR_MS = 5_000
const LISTED_MAX = 100

export type CollectOptions = { safetyMs?: number; retryForMs?: number }

type Tally = {
  leaves: number
  rows: bigint
  bytes: bigint
  busy: number
  notDue: number
  unfinished: Unfinished[]
  unreachable: string[]
}

/**
 * Drops the leaves whose last record expired longer ago than the safety buffer, on the store's own clock. An unfinished
 * key is never among them: those past their retention are listed as `reaped_unfinished`, for a person. A dry run says
 * what it would drop. Safe to run again from anywhere.
 */
export async function collect(
  ctx: SystemContext,
  handle: RunHandle,
  params: { source?: string | undefined },
  options: CollectOptions = {},
): Promise<RunResult> {
  const safetyMs = options.safetyMs ?? env().IDEMSCOPE_COLLECT_SAFETY_MS
  const stores =
    params.source === undefined ? await openIntentSources(ctx) : [await openIntentSource(ctx, params.source)]
  const tally: Tally = { leaves: 0, rows: 0n, bytes: 0n, busy: 0, notDue: 0, unfinished: [], unreachable: [] }
  for (const [index, store] of stores.entries()) {
    if (!store.source.capabilities.canCollect) continue
    try {
      await collectStore(
        ctx,
        handle,
        store,
        { safetyMs, retryForMs: options.retryForMs ?? RETRY_FOR_MS },
        tally,
      )
    } catch (error) {
      if (error instanceof Error && error.name !== 'SourceUnavailableError') throw error
      await handle.log('warn', `${store.name} cannot be reached`, { source: store.id })
      tally.unreachable.push(store.id)
    }
    await handle.report({ progress: (index + 1) / stores.length, counts: counts(tally) })
  }
  const outcome =
    tally.unreachable.length > 0
      ? 'incomplete'
      : tally.busy > 0
        ? 'busy'
        : handle.dryRun
          ? 'dry_run'
          : 'collected'
  return { outcome, counts: counts(tally) }
}

async function collectStore(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  options: { safetyMs: number; retryForMs: number },
  tally: Tally,
): Promise<void> {
  const now = await store.source.storeClock()
  const leaves = await store.source.listLeaves()
  tally.unfinished.push(...(await findUnfinished(store)))
  const due = leaves.filter((leaf) => leaf.expired && leaf.to.getTime() + options.safetyMs < now.getTime())
  if (handle.dryRun) {
    for (const leaf of due) add(tally, leaf.rowsEstimate, leaf.bytes)
    return
  }
  let busy = await collectLeaves(handle, store, due, options.safetyMs, tally)
  const until = ctx.clock.now().getTime() + options.retryForMs
  while (busy.length > 0 && ctx.clock.now().getTime() < until) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS))
    busy = await collectLeaves(handle, store, busy, options.safetyMs, tally)
  }
  tally.busy += busy.length
  if (busy.length > 0)
    await handle.log('info', 'a reader is in the way: the next run tries again', { leaves: busy.length })
}

/** Returns those that a reader kept. */
async function collectLeaves(
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  leaves: readonly StoreLeaf[],
  safetyMs: number,
  tally: Tally,
): Promise<StoreLeaf[]> {
  const busy: StoreLeaf[] = []
  for (const leaf of leaves) {
    const collected = await store.source.collectLeaf(leaf.leaf, safetyMs)
    if (collected.kind === 'busy') busy.push(leaf)
    else if (collected.kind === 'not_due') tally.notDue += 1
    else if (collected.kind === 'done') add(tally, collected.rows, collected.bytes)
    await handle.report({ counts: counts(tally) })
  }
  return busy
}

function add(tally: Tally, rows: bigint, bytes: bigint): void {
  tally.leaves += 1
  tally.rows += rows
  tally.bytes += bytes
}

const counts = (tally: Tally) => ({
  leaves: tally.leaves,
  /** As the planner estimates them: a dropped leaf is not counted row by row. */
  rows: tally.rows.toString(),
  bytes: tally.bytes.toString(),
  busy: tally.busy,
  notDue: tally.notDue,
  reapedUnfinished: tally.unfinished.length,
  unfinished: tally.unfinished.slice(0, LISTED_MAX),
  unreachable: tally.unreachable,
})

import type { SystemContext } from '@/lib/context'
import type { RunHandle } from '@/lib/runs/handle'
import type { ExpiredRow, IntentSource, LeafPage, StoreLeaf } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import { writeArchive } from './archive/write'
import { findUnfinished } from './find-unfinished'
import type { TierPolicy } from './policies'
import type { Tally } from './tally'

/** Behind a reader a leaf is tried again this often. */
const RETRY_EVERY_MS = 250
const ARCHIVE_ROWS_MAX = 5_000

export type LeafOptions = { policyOf(tier: string): TierPolicy; retryForMs: number }

/** Drops the leaves whose last record expired longer ago than the safety buffer of its tier, on the store's clock. */
export async function collectLeaves(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  options: LeafOptions,
  tally: Tally,
): Promise<void> {
  const now = await store.source.storeClock()
  const leaves = await store.source.listLeaves()
  tally.unfinished.push(...(await findUnfinished(store)))
  const due = leaves.filter(
    (leaf) => leaf.expired && leaf.to.getTime() + options.policyOf(leaf.tier).safetyMs < now.getTime(),
  )
  if (handle.dryRun) {
    for (const leaf of due) add(tally, leaf.rowsEstimate, leaf.bytes)
    return
  }
  for (const leaf of due) {
    if (options.policyOf(leaf.tier).archive) await archiveLeaf(ctx, handle, store, leaf, tally)
  }
  let busy = await drop(handle, store, due, options, tally)
  const until = ctx.clock.now().getTime() + options.retryForMs
  while (busy.length > 0 && ctx.clock.now().getTime() < until) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS))
    busy = await drop(handle, store, busy, options, tally)
  }
  tally.busy += busy.length
  if (busy.length > 0)
    await handle.log('info', 'a reader is in the way: the next run tries again', { leaves: busy.length })
}

/** Returns those that a reader kept. */
async function drop(
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  leaves: readonly StoreLeaf[],
  options: LeafOptions,
  tally: Tally,
): Promise<StoreLeaf[]> {
  const busy: StoreLeaf[] = []
  for (const leaf of leaves) {
    const collected = await store.source.collectLeaf(leaf.leaf, options.policyOf(leaf.tier).safetyMs)
    if (collected.kind === 'busy') busy.push(leaf)
    else if (collected.kind === 'not_due') tally.notDue += 1
    else if (collected.kind === 'done') add(tally, collected.rows, collected.bytes)
    await handle.report({})
  }
  return busy
}

/** A leaf that has expired takes no more rows, so what was read is all of it. Before it is dropped, never after. */
async function archiveLeaf(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  leaf: StoreLeaf,
  tally: Tally,
): Promise<void> {
  const target = { sourceId: store.id, runId: handle.id, adapter: store.adapter }
  let position: string | null = null
  let rows: ExpiredRow[]
  do {
    const page: LeafPage | undefined = await store.source.readLeaf?.(leaf.leaf, position, ARCHIVE_ROWS_MAX)
    if (page === undefined) throw new Error(`${store.name} cannot read a leaf for the archive`)
    rows = page.rows
    position = page.next
    if (rows.length > 0) {
      await writeArchive(ctx, target, rows)
      tally.archives += 1
    }
    await handle.report({})
  } while (position !== null)
}

function add(tally: Tally, rows: bigint, bytes: bigint): void {
  tally.leaves += 1
  tally.rows += rows
  tally.bytes += bytes
}

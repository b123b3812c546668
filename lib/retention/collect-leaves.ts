import type { SystemContext } from '@/lib/context'
import type { RunHandle } from '@/lib/runs/handle'
import type { IntentSource, LeafPage, StoreLeaf } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import { forgetLeafProgress, noteLeafProgress, readLeafProgress } from './archive/leaf-progress'
import { writeArchive } from './archive/write'
import { findUnfinished } from './find-unfinished'
import type { TierPolicy } from './policy/policies'
import type { Tally } from './tally'

/** Behind another session (a reader, a vacuum) a leaf is tried again this often. */
const RETRY_EVERY_MS = 250
const ARCHIVE_ROWS_MAX = 5_000
/** Of the sessions in the way; the counts say the rest. */
const NAMED_MAX = 5

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
    if (options.policyOf(leaf.tier).archive) await archiveLeaf(ctx, handle, store, leaf.leaf, tally)
  }
  // By leaf: who holds it.
  let busy = await drop(ctx, handle, store, due, options, tally)
  const until = ctx.clock.now().getTime() + options.retryForMs
  while (busy.size > 0 && ctx.clock.now().getTime() < until) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS))
    busy = await drop(ctx, handle, store, [...busy.keys()], options, tally)
  }
  tally.busy += busy.size
  if (busy.size > 0) {
    await handle.log('info', 'other sessions are in the way: the next run tries again', {
      leaves: busy.size,
      by: [...busy.values()].slice(0, NAMED_MAX),
    })
  }
}

/** Returns those that another session kept, with what the store says of it. */
async function drop(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  leaves: readonly StoreLeaf[],
  options: LeafOptions,
  tally: Tally,
): Promise<Map<StoreLeaf, string>> {
  const busy = new Map<StoreLeaf, string>()
  for (const leaf of leaves) {
    const collected = await store.source.collectLeaf(leaf.leaf, options.policyOf(leaf.tier).safetyMs)
    if (collected.kind === 'busy') busy.set(leaf, collected.by)
    else if (collected.kind === 'not_due') tally.notDue += 1
    else if (collected.kind === 'done') add(tally, collected.rows, collected.bytes)
    if (collected.kind === 'done' || collected.kind === 'gone') await noteCollected(ctx, store.id, leaf.leaf)
    await handle.report({})
  }
  return busy
}

/** The leaf's archives hold what was dropped; its note is of no more use. */
async function noteCollected(ctx: SystemContext, sourceId: string, leaf: string): Promise<void> {
  const progress = await readLeafProgress(sourceId, leaf)
  if (progress === null) return
  await ctx.db.prisma.archive.updateMany({
    where: { id: { in: progress.archives }, collectedAt: null },
    data: { collectedAt: ctx.clock.now() },
  })
  await forgetLeafProgress(sourceId, leaf)
}

/**
 * A leaf that has expired takes no more rows, so what was read is all of it. Before it is dropped, never after; and once,
 * however often another session keeps it from being dropped.
 */
async function archiveLeaf(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  leaf: string,
  tally: Tally,
): Promise<void> {
  const target = { sourceId: store.id, runId: handle.id, adapter: store.adapter }
  let progress = await readLeafProgress(store.id, leaf)
  while (progress === null || progress.position !== null) {
    const page: LeafPage | undefined = await store.source.readLeaf?.(
      leaf,
      progress?.position ?? null,
      ARCHIVE_ROWS_MAX,
    )
    if (page === undefined) throw new Error(`${store.name} cannot read a leaf for the archive`)
    const archives: string[] = progress?.archives ?? []
    progress = { leaf, position: page.next, archives }
    if (page.rows.length > 0) {
      const { id } = await writeArchive(ctx, target, page.rows)
      progress.archives = [...archives, id]
      tally.archives += 1
    }
    await noteLeafProgress(store.id, progress)
    await handle.report({})
  }
}

function add(tally: Tally, rows: bigint, bytes: bigint): void {
  tally.leaves += 1
  tally.rows += rows
  tally.bytes += bytes
}

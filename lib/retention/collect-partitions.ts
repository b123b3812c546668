import type { SystemContext } from '@/lib/context'
import type { RunHandle } from '@/lib/runs/handle'
import type { IntentSource, PartitionPage, StorePartition } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import {
  forgetPartitionProgress,
  notePartitionProgress,
  readPartitionProgress,
} from './archive/partition-progress'
import { writeArchive } from './archive/write'
import { findUnfinished } from './find-unfinished'
import type { TierPolicy } from './policy/policies'
import type { Tally } from './tally'

/** Behind another session (a reader, a vacuum) a partition is tried again this often. */
const RETRY_EVERY_MS = 250
const ARCHIVE_ROWS_MAX = 5_000
/** Of the sessions in the way; the counts say the rest. */
const NAMED_MAX = 5

export type PartitionOptions = { policyOf(tier: string): TierPolicy; retryForMs: number }

/** Drops the partitions whose last record expired longer ago than the safety buffer of its tier, on the store's clock. */
export async function collectPartitions(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  options: PartitionOptions,
  tally: Tally,
): Promise<void> {
  const now = await store.source.storeClock()
  const partitions = await store.source.listPartitions()
  tally.unfinished.push(...(await findUnfinished(store)))
  const due = partitions.filter(
    (partition) =>
      partition.expired && partition.to.getTime() + options.policyOf(partition.tier).safetyMs < now.getTime(),
  )
  if (handle.dryRun) {
    for (const partition of due) add(tally, partition.rowsEstimate, partition.bytes)
    return
  }
  for (const partition of due) {
    if (options.policyOf(partition.tier).archive)
      await archivePartition(ctx, handle, store, partition.partition, tally)
  }
  // By partition: who holds it.
  let busy = await drop(ctx, handle, store, due, options, tally)
  const until = ctx.clock.now().getTime() + options.retryForMs
  while (busy.size > 0 && ctx.clock.now().getTime() < until) {
    await new Promise((resolve) => setTimeout(resolve, RETRY_EVERY_MS))
    busy = await drop(ctx, handle, store, [...busy.keys()], options, tally)
  }
  tally.busy += busy.size
  if (busy.size > 0) {
    await handle.log('info', 'other sessions are in the way: the next run tries again', {
      partitions: busy.size,
      by: [...busy.values()].slice(0, NAMED_MAX),
    })
  }
}

/** Returns those that another session kept, with what the store says of it. */
async function drop(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  partitions: readonly StorePartition[],
  options: PartitionOptions,
  tally: Tally,
): Promise<Map<StorePartition, string>> {
  const busy = new Map<StorePartition, string>()
  for (const partition of partitions) {
    const collected = await store.source.collectPartition(
      partition.partition,
      options.policyOf(partition.tier).safetyMs,
    )
    if (collected.kind === 'busy') busy.set(partition, collected.by)
    else if (collected.kind === 'not_due') tally.notDue += 1
    else if (collected.kind === 'done') add(tally, collected.rows, collected.bytes)
    if (collected.kind === 'done' || collected.kind === 'gone')
      await noteCollected(ctx, store.id, partition.partition)
    await handle.report({})
  }
  return busy
}

/** The partition's archives hold what was dropped; its note is of no more use. */
async function noteCollected(ctx: SystemContext, sourceId: string, partition: string): Promise<void> {
  const progress = await readPartitionProgress(sourceId, partition)
  if (progress === null) return
  await ctx.db.prisma.archive.updateMany({
    where: { id: { in: progress.archives }, collectedAt: null },
    data: { collectedAt: ctx.clock.now() },
  })
  await forgetPartitionProgress(sourceId, partition)
}

/**
 * A partition that has expired takes no more rows, so what was read is all of it. Before it is dropped, never after; and once,
 * however often another session keeps it from being dropped.
 */
async function archivePartition(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  partition: string,
  tally: Tally,
): Promise<void> {
  const target = { sourceId: store.id, runId: handle.id, adapter: store.adapter }
  let progress = await readPartitionProgress(store.id, partition)
  while (progress === null || progress.position !== null) {
    const page: PartitionPage | undefined = await store.source.readPartition?.(
      partition,
      progress?.position ?? null,
      ARCHIVE_ROWS_MAX,
    )
    if (page === undefined) throw new Error(`${store.name} cannot read a partition for the archive`)
    const archives: string[] = progress?.archives ?? []
    progress = { partition, position: page.next, archives }
    if (page.rows.length > 0) {
      const { id } = await writeArchive(ctx, target, page.rows)
      progress.archives = [...archives, id]
      tally.archives += 1
    }
    await notePartitionProgress(store.id, progress)
    await handle.report({})
  }
}

function add(tally: Tally, rows: bigint, bytes: bigint): void {
  tally.partitions += 1
  tally.rows += rows
  tally.bytes += bytes
}

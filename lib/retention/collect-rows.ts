import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { RunHandle } from '@/lib/runs/handle'
import type { ExpiredBatch, IntentSource, RowCollection, RowRetention } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import { writeArchive } from './archive/write'
import type { Tally } from './tally'

export type RowPace = {
  /** A statement should take about this long: batches grow and shrink towards it. */
  targetMs: number
  batchMin: number
  batchMax: number
  /** Sessions that wait for a lock in the store from which on collection steps aside. */
  waitingMax: number
  pauseMs: number
  /** How many pauses in a row before the rest is left to the next run. */
  pausesMax: number
  /** The monotonic time of this process, in ms. */
  nowMs(): number
  pause(ms: number): Promise<void>
}

export const PACE: RowPace = {
  targetMs: 100,
  batchMin: 100,
  batchMax: 20_000,
  waitingMax: 3,
  pauseMs: 1_000,
  pausesMax: 10,
  nowMs: () => performance.now(),
  pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
}

const START_BATCH_ROWS = 1_000
/** Rows of one archive file; a batch that is archived is not larger. */
const ARCHIVE_ROWS_MAX = 5_000
/** One statement is far beyond its target: the store is busy with something. */
const BUSY_FACTOR = 8

const checkpointSchema = z.object({ rows: z.record(z.string(), z.string()).default({}) })

/**
 * Deletes finished rows past their retention, walking an index in batches. It keeps to a latency, steps aside while
 * sessions of the store wait for locks, and goes on where a killed run stopped. With an archive, exactly the rows that
 * are durably in the file are deleted. An unfinished key is never among them: it is listed.
 */
export async function collectRows(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  retention: RowRetention & { archive: boolean },
  tally: Tally,
  pace: RowPace = PACE,
): Promise<'done' | 'busy'> {
  const rows = store.source.rowCollection
  if (rows === undefined) return 'done'
  const checkpoint = checkpointSchema.catch({ rows: {} }).parse(handle.checkpoint ?? {})
  let position = checkpoint.rows[store.id] ?? null
  let batchRows = START_BATCH_ROWS
  for (;;) {
    if (!(await quiet(rows, pace))) return 'busy'
    const startedMs = pace.nowMs()
    const limit = retention.archive ? Math.min(batchRows, ARCHIVE_ROWS_MAX) : batchRows
    const next = await collectBatch(ctx, handle, store, rows, { position, limit, retention }, tally)
    const tookMs = pace.nowMs() - startedMs
    position = next
    const rowsAt = { ...checkpoint.rows, ...(next === null ? {} : { [store.id]: next }) }
    if (next === null) delete rowsAt[store.id]
    await handle.report({ checkpoint: { rows: rowsAt } })
    if (next === null) return 'done'
    batchRows = adapt(batchRows, tookMs, pace)
    if (tookMs > pace.targetMs * BUSY_FACTOR) await pace.pause(Math.min(pace.pauseMs, tookMs))
  }
}

/** Half or double at most, towards the target. */
export function adapt(
  batchRows: number,
  tookMs: number,
  pace: Pick<RowPace, 'targetMs' | 'batchMin' | 'batchMax'>,
): number {
  const factor = Math.min(2, Math.max(0.5, pace.targetMs / Math.max(1, tookMs)))
  return Math.round(Math.min(pace.batchMax, Math.max(pace.batchMin, batchRows * factor)))
}

async function quiet(rows: RowCollection, pace: RowPace): Promise<boolean> {
  for (let pauses = 0; pauses <= pace.pausesMax; pauses++) {
    if ((await rows.waitingSessions()) < pace.waitingMax) return true
    await pace.pause(pace.pauseMs)
  }
  return false
}

type Batch = { position: string | null; limit: number; retention: RowRetention & { archive: boolean } }

async function collectBatch(
  ctx: SystemContext,
  handle: RunHandle,
  store: OpenSource<IntentSource>,
  rows: RowCollection,
  { position, limit, retention }: Batch,
  tally: Tally,
): Promise<string | null> {
  const list = (unfinished: ExpiredBatch['unfinished']) =>
    tally.unfinished.push(...unfinished.map((each) => ({ source: store.id, ...each })))
  if (!handle.dryRun && !retention.archive) {
    const deleted = await rows.deleteExpired(position, limit, retention)
    tally.rows += BigInt(deleted.rows)
    list(deleted.unfinished)
    return deleted.next
  }
  const batch = await rows.readExpired(position, limit, retention)
  list(batch.unfinished)
  if (handle.dryRun) {
    tally.rows += BigInt(batch.expired.length)
    return batch.next
  }
  if (batch.expired.length === 0) return batch.next
  const target = { sourceId: store.id, runId: handle.id, adapter: store.adapter }
  const archive = await writeArchive(ctx, target, batch.expired)
  tally.archives += 1
  tally.rows += BigInt(await rows.deleteRows(batch.expired, retention))
  await ctx.db.prisma.archive.updateMany({
    where: { id: archive.id },
    data: { collectedAt: ctx.clock.now() },
  })
  return batch.next
}

import type pg from 'pg'
import {
  claimRange,
  type EndedPass,
  endPass,
  type HeldRange,
  type Pass,
  planRanges,
  RangeLostError,
  returnRange,
} from '@/lib/mirror/range'
import type { TimeRange } from '@/lib/sources/contracts'
import type { StageContext } from './batch'

/** Stages a range from where its last holder stood; commits rows and position together. Returns how many rows. */
export type RangeWork = (range: HeldRange) => Promise<number>

/** How often is looked whether the ranges of other workers are done, or their holders dead. */
const LOOK_EVERY_MS = 100

/**
 * Carries a pass out, together with every worker that helps: plans its ranges (or goes on with those of a pass that was
 * not ended), asks for helpers, takes ranges until all are done, whoever did them, and ends the pass. The end is the
 * same whatever dies on the way.
 */
export async function workPass(
  ctx: StageContext,
  pass: Pass,
  pieces: readonly TimeRange[],
  work: RangeWork,
  commit: (client: pg.PoolClient, range: TimeRange) => Promise<void>,
): Promise<EndedPass> {
  const planned = await planRanges(ctx.db, pass, pieces)
  if (planned > 1) await ctx.askForHelp?.(planned - 1)
  for (;;) {
    await workRanges(ctx, pass, work)
    const ended = await endPass(ctx.db, pass, commit)
    if (ended.kind !== 'open') return ended
    // The fence: a run that was taken over or cancelled does not wait for others.
    await ctx.beat?.()
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** Takes ranges of a pass until there is none to be had. Returns how many rows were staged. */
export async function workRanges(
  ctx: Pick<StageContext, 'db' | 'owner'>,
  pass: Pass,
  work: RangeWork,
): Promise<number> {
  let read = 0
  for (;;) {
    const range = await claimRange(ctx.db, pass, ctx.owner ?? 'staging')
    if (range === null) return read
    try {
      read += await work(range)
    } catch (error) {
      if (error instanceof RangeLostError) continue
      await returnRange(ctx.db, range)
      throw error
    }
  }
}

/** However long the time, this many pieces are enough for every worker. */
const PIECES_MAX = 64

/** [from, to) in pieces of so long or, where that would be too many, longer ones; in whole seconds, and touching. */
export function cutUp(range: TimeRange, wantedMs: number): TimeRange[] {
  const leastMs = (range.to.getTime() - range.from.getTime()) / PIECES_MAX
  const pieceMs = Math.ceil(Math.max(wantedMs, leastMs) / 1000) * 1000
  const pieces: TimeRange[] = []
  for (let from = range.from.getTime(); from < range.to.getTime(); from += pieceMs) {
    pieces.push({ from: new Date(from), to: new Date(Math.min(from + pieceMs, range.to.getTime())) })
  }
  return pieces
}

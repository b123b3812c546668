import type { LedgerSource, TimeRange } from '@/lib/sources/contracts'
import { lockMirror } from '@/lib/sources/mirror/apply'
import { moveCursor } from '@/lib/sources/mirror/cursor'
import { moveIncoming, openIncoming } from '@/lib/sources/mirror/load'
import { advanceRange, type HeldRange } from '@/lib/sources/mirror/range'
import type { OpenSource } from '@/lib/sources/registry'
import type { StageContext } from './batch'
import { cutUp, type RangeWork, workPass } from './work-ranges'

/** One COPY, one transaction, one range: so much is lost when a worker dies, and so much waits for a cut. */
const ROWS_A_RANGE = 50_000

/** The first reading of a ledger, in bulk: ranges of its time, by COPY, on as many workers as there are. */
export async function loadLedger(ctx: StageContext, open: OpenSource<LedgerSource>): Promise<number> {
  const bounds = await open.source.bounds()
  if (bounds === null) return 0
  const ended = await workPass(
    ctx,
    { sourceId: open.id, feed: 'backfill' },
    piecesOf(bounds),
    ledgerRangeWork(ctx, open),
    async (client, { to }) => {
      const position = await open.source.cursorAt(to)
      await moveCursor(client, { sourceId: open.id, feed: 'rows' }, null, position, ctx.clock.now())
    },
  )
  if (ended.kind !== 'whole') return 0
  // The planner must not take the mirror for the small table that it was.
  if (ended.read >= ROWS_A_RANGE) await ctx.db.pool.query('ANALYZE mirror.object')
  return ended.read
}

/** A window read again, beside the cursor: rows that are in the mirror already stay as they are. */
export async function loadLedgerWindow(
  ctx: StageContext,
  open: OpenSource<LedgerSource>,
  window: TimeRange,
): Promise<number> {
  const bounds = await open.source.bounds()
  if (bounds === null) return 0
  // No range is asked for where nothing can be.
  const from = new Date(Math.max(window.from.getTime(), bounds.from.getTime()))
  const to = new Date(Math.min(window.to.getTime(), bounds.to.getTime()))
  if (to <= from) return 0
  const feed = `window:${from.toISOString()}/${to.toISOString()}`
  const pieces = piecesOf({ from, to, rows: bounds.rows })
  const work = ledgerRangeWork(ctx, open)
  const ended = await workPass(ctx, { sourceId: open.id, feed }, pieces, work, async () => undefined)
  return ended.kind === 'whole' ? ended.read : 0
}

const piecesOf = (bounds: TimeRange & { rows: number }): TimeRange[] => {
  const count = Math.max(1, Math.ceil(bounds.rows / ROWS_A_RANGE))
  return cutUp(bounds, Math.ceil((bounds.to.getTime() - bounds.from.getTime()) / count))
}

/** Copies a range into this session, outside of any transaction, then moves it into the mirror in one. */
export function ledgerRangeWork(ctx: StageContext, open: OpenSource<LedgerSource>): RangeWork {
  return async (range) => {
    const client = await ctx.db.pool.connect()
    let broken: Error | undefined
    try {
      const observedAt = ctx.clock.now()
      await open.source.copyRows(range, await openIncoming(client))
      return await commit(ctx, client, open, range, observedAt)
    } catch (error) {
      // What a COPY that was cut off left in the session goes with it.
      broken = error instanceof Error ? error : new Error(String(error))
      throw error
    } finally {
      client.release(broken)
    }
  }
}

async function commit(
  ctx: StageContext,
  client: Parameters<typeof advanceRange>[0],
  open: OpenSource<LedgerSource>,
  range: HeldRange,
  observedAt: Date,
): Promise<number> {
  await client.query('BEGIN')
  await lockMirror(client, open.system)
  const now = ctx.clock.now()
  const read = await moveIncoming(client, open, { observedAt, now })
  await advanceRange(client, range, { position: null, done: true, read, now })
  await ctx.inBatch?.(client)
  await client.query('COMMIT')
  await client.query('TRUNCATE incoming')
  return read
}

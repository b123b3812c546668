import type pg from 'pg'
import { inTransaction } from '@/lib/db'
import { lockMirror } from '@/lib/mirror/apply'
import { dropCursor, moveCursor, readCursor } from '@/lib/mirror/cursor'
import { moveIncoming, openIncoming } from '@/lib/mirror/load'
import { advanceRange } from '@/lib/mirror/range'
import { nextVersion } from '@/lib/mirror/version'
import type { LedgerSource, OpenSink, TimeRange } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import type { StageContext } from './batch'
import { cutUp, type RangeWork, workPass } from './work-ranges'

/** One COPY, one transaction, one range: so much is lost when a worker dies, and so much waits for a watermark. */
const ROWS_A_RANGE = 50_000
const LOAD = 'backfill'

/** The first reading of a ledger, in bulk: ranges of its time, by COPY, on as many workers as there are. */
export async function loadLedger(ctx: StageContext, open: OpenSource<LedgerSource>): Promise<number> {
  const begun = await beginLoad(ctx, open)
  const bounds = await open.source.bounds()
  if (bounds === null) {
    await inTransaction(ctx.db.pool, (client) => dropCursor(client, { sourceId: open.id, feed: LOAD }))
    return 0
  }
  const ended = await workPass(
    ctx,
    { sourceId: open.id, feed: LOAD },
    piecesOf(bounds),
    ledgerRangeWork(ctx, open),
    async (client) => {
      await moveCursor(client, { sourceId: open.id, feed: 'rows' }, null, begun, ctx.clock.now())
      await dropCursor(client, { sourceId: open.id, feed: LOAD })
    },
  )
  if (ended.kind !== 'whole') return 0
  // The planner must not take the mirror for the small table that it was.
  if (ended.read >= ROWS_A_RANGE) await ctx.db.pool.query('ANALYZE mirror.object')
  return ended.read
}

/** Where the feed goes on after the ranges: taken before the first of them is read, by whichever worker comes first. */
async function beginLoad(ctx: StageContext, open: OpenSource<LedgerSource>): Promise<string> {
  const at = { sourceId: open.id, feed: LOAD }
  const begun = await readCursor(ctx.db, at.sourceId, at.feed)
  if (begun !== null) return begun
  const position = await open.source.cursorNow()
  await inTransaction(ctx.db.pool, (client) => moveCursor(client, at, null, position, ctx.clock.now()))
  return position
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

/** The next page behind the cursor, which moves with its rows. */
export async function loadLedgerPage(
  ctx: StageContext,
  open: OpenSource<LedgerSource>,
  feed: string,
): Promise<{ read: number; more: boolean }> {
  const position = await readCursor(ctx.db, open.id, feed)
  let more = false
  const read = await inBulk(
    ctx,
    open,
    (openSink) => open.source.copyPage(position, ROWS_A_RANGE, openSink),
    async (client, page, { now }) => {
      more = page.more
      await moveCursor(client, { sourceId: open.id, feed }, position, page.cursor, now)
    },
  )
  return { read, more }
}

/** A range whole: its rows and its end commit together. */
export function ledgerRangeWork(ctx: StageContext, open: OpenSource<LedgerSource>): RangeWork {
  return (range) =>
    inBulk(
      ctx,
      open,
      (openSink) => open.source.copyRows(range, openSink),
      (client, _, { read, now }) => advanceRange(client, range, { position: null, done: true, read, now }),
    )
}

/** Copies into this session, outside of any transaction, then moves it into the mirror in one. Returns how many rows. */
async function inBulk<T>(
  ctx: StageContext,
  open: OpenSource<LedgerSource>,
  copy: (openSink: OpenSink) => Promise<T>,
  alsoIn: (client: pg.PoolClient, copied: T, done: { read: number; now: Date }) => Promise<void>,
): Promise<number> {
  const version = await nextVersion(ctx.db)
  const client = await ctx.db.pool.connect()
  let broken: Error | undefined
  try {
    const copied = await copy(() => openIncoming(client))
    await client.query('BEGIN')
    await lockMirror(client, open.system)
    const now = ctx.clock.now()
    const read = await moveIncoming(client, open, { version, now })
    await alsoIn(client, copied, { read, now })
    await ctx.inBatch?.(client)
    await client.query('COMMIT')
    await client.query('TRUNCATE incoming')
    return read
  } catch (error) {
    // What a COPY that was cut off left in the session goes with it.
    broken = error instanceof Error ? error : new Error(String(error))
    throw error
  } finally {
    client.release(broken)
  }
}

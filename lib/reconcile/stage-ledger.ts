import type { LedgerSource, TimeRange } from '@/lib/sources/contracts'
import { moveCursor, readCursor } from '@/lib/sources/mirror/cursor'
import { ledgerObject } from '@/lib/sources/mirror/object'
import type { OpenSource } from '@/lib/sources/registry'
import { commitBatch, type StageContext } from './batch'
import { loadLedger, loadLedgerWindow } from './load-ledger'

const ROWS_A_BATCH = 2_000

/** Postings since the last time; all of them in bulk the first time. Returns how many were read. */
export async function stageLedger(
  ctx: StageContext,
  open: OpenSource<LedgerSource>,
  window?: TimeRange,
): Promise<number> {
  const at = { sourceId: open.id, feed: 'rows' }
  let read = (await readCursor(ctx.db, open.id, at.feed)) === null ? await loadLedger(ctx, open) : 0
  let more = true
  while (more) {
    const position = await readCursor(ctx.db, open.id, at.feed)
    const observedAt = ctx.clock.now()
    const page = await open.source.readRows(position, ROWS_A_BATCH)
    const objects = page.items.map((row) => ledgerObject(row, observedAt))
    await commitBatch(ctx, open, objects, null, (client, now) =>
      moveCursor(client, at, position, page.cursor, now),
    )
    read += objects.length
    more = page.more
  }
  // What was booked late under an old date is behind the cursor: a window is read again whole.
  return window === undefined ? read : read + (await loadLedgerWindow(ctx, open, window))
}

import { moveCursor, readCursor } from '@/lib/mirror/cursor'
import { ledgerObject } from '@/lib/mirror/object'
import { nextVersion } from '@/lib/mirror/version'
import type { LedgerSource, TimeRange } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import { commitBatch, type StageContext } from './batch'
import { loadLedger, loadLedgerPage, loadLedgerWindow } from './load-ledger'

const FEED = 'rows'
/** So many are read row by row; where there are more, they come in bulk. */
const ROWS_A_BATCH = 200

/** Postings since the last time; all of them in ranges the first time. Returns how many were read. */
export async function stageLedger(
  ctx: StageContext,
  open: OpenSource<LedgerSource>,
  window?: TimeRange,
): Promise<number> {
  let read = (await readCursor(ctx.db, open.id, FEED)) === null ? await loadLedger(ctx, open) : 0
  let page = await stagePage(ctx, open)
  read += page.read
  while (page.more) {
    page = await loadLedgerPage(ctx, open, FEED)
    read += page.read
  }
  // What was booked late under an old date is behind the cursor: a window is read again whole.
  return window === undefined ? read : read + (await loadLedgerWindow(ctx, open, window))
}

async function stagePage(ctx: StageContext, open: OpenSource<LedgerSource>) {
  const position = await readCursor(ctx.db, open.id, FEED)
  const version = await nextVersion(ctx.db)
  const page = await open.source.readRows(position, ROWS_A_BATCH)
  const objects = page.items.map((row) => ledgerObject(row, version))
  await commitBatch(ctx, open, objects, null, (client, now) =>
    moveCursor(client, { sourceId: open.id, feed: FEED }, position, page.cursor, now),
  )
  return { read: objects.length, more: page.more }
}

import { moveCursor, readCursor } from '@/lib/mirror/cursor'
import { ledgerObject } from '@/lib/mirror/object'
import { forgetLate, unreadableIds } from '@/lib/mirror/unreadable'
import { nextVersion } from '@/lib/mirror/version'
import type { LedgerSource, TimeRange } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import { commitBatch, type StageContext } from './batch'
import { loadLedger, loadLedgerPage, loadLedgerWindow } from './load-ledger'

export const LEDGER_FEED = 'rows'
/** So many are read row by row; where there are more, they come in bulk. */
const ROWS_A_BATCH = 200

/** So many rows that were not understood are asked for again in a pass. */
const MENDED_MAX = 500
/** So long a ledger is known to book behind its feed. */
const LATE_KEPT_MS = 24 * 3_600_000

/**
 * Postings since the last time; all of them in ranges the first time. Returns how many were read, and why that was not
 * all of them.
 */
export async function stageLedger(
  ctx: StageContext,
  open: OpenSource<LedgerSource>,
  window?: TimeRange,
): Promise<{ read: number; unread: string | null }> {
  await forgetLate(ctx.db, open.id, new Date(ctx.clock.now().getTime() - LATE_KEPT_MS))
  let read = (await readCursor(ctx.db, open.id, LEDGER_FEED)) === null ? await loadLedger(ctx, open) : 0
  const first = await stagePage(ctx, open)
  read += first.read
  for (let { more } = first; more; ) {
    const page = await loadLedgerPage(ctx, open, LEDGER_FEED)
    read += page.read
    more = page.more
  }
  // What was booked late under an old date is behind the cursor: a window is read again whole.
  if (window !== undefined) read += await loadLedgerWindow(ctx, open, window)
  return { read, unread: first.unread }
}

async function stagePage(ctx: StageContext, open: OpenSource<LedgerSource>) {
  const position = await readCursor(ctx.db, open.id, LEDGER_FEED)
  const version = await nextVersion(ctx.db)
  const page = await open.source.readRows(position, ROWS_A_BATCH)
  const odd = await open.source.readByEntryIds(await unreadableIds(ctx.db, open.id, MENDED_MAX))
  const objects = [...odd, ...page.items].map((row) => ledgerObject(row, version))
  await commitBatch(ctx, open, objects, null, (client, now) =>
    moveCursor(client, { sourceId: open.id, feed: LEDGER_FEED }, position, page.cursor, now),
  )
  return { read: objects.length, more: page.more, unread: page.unread ?? null }
}

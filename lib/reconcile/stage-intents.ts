import type { IntentSource } from '@/lib/sources/contracts'
import { markGone } from '@/lib/sources/mirror/apply'
import { moveCursor, readCursor } from '@/lib/sources/mirror/cursor'
import { leaseObject, recordObject } from '@/lib/sources/mirror/object'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import type { OpenSource } from '@/lib/sources/registry'
import { commitBatch, type StageContext } from './batch'
import type { ReconcileSettings } from './settings'
import { noteSkew } from './source-clock'

/** More live keys than this are a store in trouble; what lies beyond is not proven absent. */
const LEASES_MAX = 20_000
const RECORDS_A_BATCH = 2_000
const LEASES_A_BATCH = 2_000

/**
 * Live leases whole, then the records completed since the last time. In this order a key that completes in between is
 * in both, never in neither; what is in neither is gone. Returns how many were read, and whether that was all.
 */
export async function stageIntents(
  ctx: StageContext,
  open: OpenSource<IntentSource>,
  settings: ReconcileSettings,
): Promise<{ read: number; complete: boolean }> {
  const before = ctx.clock.now()
  const reading = await readAllLeases(open.source, LEASES_MAX)
  await noteSkew(ctx, open, 'intent', { before, at: reading.now, after: ctx.clock.now() }, settings)
  const leases = reading.leases.map((lease) => leaseObject(lease, reading.now, settings.keySecret))
  for (let first = 0; first < leases.length; first += LEASES_A_BATCH) {
    await commitBatch(ctx, open, leases.slice(first, first + LEASES_A_BATCH), null, async () => undefined)
  }
  const records = await stageRecords(ctx, open, settings)
  if (!reading.truncated) {
    const seenObjectIds = leases.map(({ objectId }) => objectId)
    await commitBatch(ctx, open, [], null, async (client, now) => {
      await markGone(client, open, now, { readAt: reading.now, seenObjectIds })
    })
  }
  return { read: leases.length + records, complete: !reading.truncated }
}

async function stageRecords(
  ctx: StageContext,
  open: OpenSource<IntentSource>,
  settings: ReconcileSettings,
): Promise<number> {
  const at = { sourceId: open.id, feed: 'records' }
  let read = 0
  let more = true
  while (more) {
    const position = await readCursor(ctx.db, open.id, at.feed)
    const page = await open.source.readRecords(position, RECORDS_A_BATCH)
    const objects = page.items.map((record) => recordObject(record, settings.keySecret))
    await commitBatch(ctx, open, objects, null, (client, now) =>
      moveCursor(client, at, position, page.cursor, now),
    )
    read += objects.length
    more = page.more
  }
  return read
}

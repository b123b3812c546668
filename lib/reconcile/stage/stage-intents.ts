import { markGone } from '@/lib/mirror/apply'
import { moveCursor, readCursor } from '@/lib/mirror/cursor'
import { leaseObject, recordObject, type StagedObject, unreadableKey } from '@/lib/mirror/object'
import { noteUnreadable } from '@/lib/mirror/unreadable'
import type { IntentSource, UnreadableRow } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import type { OpenSource } from '@/lib/sources/registry'
import type { ReconcileSettings } from '../settings'
import { commitBatch, type StageContext } from './batch'
import { noteSkew } from './source-clock'

/** More live keys than this are a store in trouble; what lies beyond is not proven absent. */
const LEASES_MAX = 20_000
const RECORDS_A_BATCH = 2_000
const LEASES_A_BATCH = 2_000

/** `asOf`: where its records are not read at each turn, how old what is staged is. */
type Staged = { read: number; unread: string[]; asOf: Date | null }

/**
 * Live leases whole, then the records completed since the last time. In this order a key that completes in between is
 * in both, never in neither; what is in neither is gone. Returns how many were read, and why that was not all.
 */
export async function stageIntents(
  ctx: StageContext,
  open: OpenSource<IntentSource>,
  settings: ReconcileSettings,
): Promise<Staged> {
  const before = ctx.clock.now()
  const reading = await readAllLeases(open.source, LEASES_MAX)
  await noteSkew(ctx, open, 'intent', { before, at: reading.now, after: ctx.clock.now() }, settings)
  const setApart = (rows: readonly UnreadableRow[] = []) =>
    rows.map((row) => unreadableKey(row, reading.now, settings.keySecret))
  const leases = [
    ...reading.leases.map((lease) => leaseObject(lease, reading.now, settings.keySecret)),
    ...setApart(reading.unreadable),
  ]
  await noteUnnamed(ctx, open, leases)
  for (let first = 0; first < leases.length; first += LEASES_A_BATCH) {
    const batch = leases.slice(first, first + LEASES_A_BATCH).filter(isNamed)
    await commitBatch(ctx, open, batch, null, async () => undefined)
  }
  const records = await stageRecords(ctx, open, settings, setApart)
  if (!reading.truncated) {
    const seenObjectIds = leases.map(({ objectId }) => objectId)
    await commitBatch(ctx, open, [], null, async (client, now) => {
      const { now: readAt, wholeUntil } = reading
      await markGone(client, open, now, { readAt, wholeUntil, seenObjectIds })
    })
  }
  const unread = reading.truncated ? [reading.unread ?? 'more live keys than can be read at once'] : []
  return { ...records, read: leases.length + records.read, unread: [...unread, ...records.unread] }
}

/** A row that names no key belongs to no operation: it is counted, and that is all that can be said of it. */
const isNamed = ({ scope, key }: StagedObject): boolean => scope !== null && key !== null

async function noteUnnamed(ctx: StageContext, open: OpenSource<IntentSource>, objects: StagedObject[]) {
  const unnamed = objects.filter((object) => !isNamed(object))
  if (unnamed.length === 0) return
  await commitBatch(ctx, open, [], null, (client, now) => noteUnreadable(client, open, now, unnamed))
}

async function stageRecords(
  ctx: StageContext,
  open: OpenSource<IntentSource>,
  settings: ReconcileSettings,
  setApart: (rows?: readonly UnreadableRow[]) => StagedObject[],
): Promise<Staged> {
  const at = { sourceId: open.id, feed: 'records' }
  const unread = new Set<string>()
  let read = 0
  let asOf: Date | null = null
  let more = true
  while (more) {
    const position = await readCursor(ctx.db, open.id, at.feed)
    const page = await open.source.readRecords(position, RECORDS_A_BATCH)
    const objects = [
      ...page.items.map((record) => recordObject(record, settings.keySecret)),
      ...setApart(page.unreadable),
    ]
    await commitBatch(ctx, open, objects.filter(isNamed), null, async (client, now) => {
      await moveCursor(client, at, position, page.cursor, now)
      await noteUnreadable(
        client,
        open,
        now,
        objects.filter((object) => !isNamed(object)),
      )
    })
    read += objects.length
    more = page.more
    asOf = page.asOf ?? null
    if (page.unread !== undefined) unread.add(page.unread)
  }
  return { read, unread: [...unread], asOf }
}

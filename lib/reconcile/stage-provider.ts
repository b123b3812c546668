import { z } from 'zod'
import type { ProviderHint, ProviderObject, ProviderSource, TimeRange } from '@/lib/sources/contracts'
import { changedObjects } from '@/lib/sources/mirror/apply'
import { extendCoverage } from '@/lib/sources/mirror/coverage'
import { moveCursor, readCursor } from '@/lib/sources/mirror/cursor'
import type { StagedObject } from '@/lib/sources/mirror/object'
import { absentObject, providerObject } from '@/lib/sources/mirror/provider-object'
import type { OpenSource } from '@/lib/sources/registry'
import { commitBatch, type StageContext } from './batch'
import type { ReconcileSettings } from './settings'

/** A range is listed whole before the next: what a stop in the middle costs is one of these. */
const SLICE_MS = 6 * 3_600_000
const PAGES_MAX = 100_000

const FEEDS = { objects: ['charges', 'refunds'], hints: ['hints'] } as const
type Feed = keyof typeof FEEDS

const positionSchema = z.object({
  /** Complete up to here. */
  coveredTo: z.iso.datetime(),
  /** The slice under way, with its fixed bounds. */
  open: z
    .object({
      from: z.iso.datetime(),
      to: z.iso.datetime(),
      list: z.enum(['charges', 'refunds', 'hints']),
      after: z.string().nullable(),
    })
    .nullable(),
})
type Position = z.infer<typeof positionSchema>

/**
 * Lists charges and refunds by the time of their creation, then reads the event feed for changes to older ones. The
 * upper bound lies in the past, so that pages do not move; each pass overlaps the last for what was shown late.
 */
export async function stageProvider(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  window?: TimeRange,
): Promise<number> {
  if (window !== undefined) return stageWindow(ctx, open, settings, window)
  const to = wholeSecond(new Date(ctx.clock.now().getTime() - settings.clockSkewMs))
  const objects = await advance(ctx, open, settings, 'objects', to)
  const hints = await advance(ctx, open, settings, 'hints', to)
  return objects + hints
}

const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000)

async function advance(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  feed: Feed,
  to: Date,
): Promise<number> {
  let read = 0
  for (let page = 0; page < PAGES_MAX; page++) {
    const text = await readCursor(ctx.db, open.id, feed)
    const position = text === null ? null : positionSchema.parse(JSON.parse(text))
    if (position !== null && position.open === null && new Date(position.coveredTo) >= to) return read
    const slice = position?.open ?? nextSlice(position, feed, to, settings)
    read += await stagePage(ctx, open, settings, feed, { text, slice })
  }
  throw new Error(`${open.name}: more than ${PAGES_MAX} pages in one pass`)
}

type Slice = NonNullable<Position['open']>

function nextSlice(position: Position | null, feed: Feed, to: Date, settings: ReconcileSettings): Slice {
  const overlapMs = 2 * settings.settleDelayMs + settings.clockSkewMs + 1000
  const fromMs =
    position === null
      ? to.getTime() - settings.backfillMs
      : new Date(position.coveredTo).getTime() - overlapMs
  const from = wholeSecond(new Date(fromMs))
  const end = new Date(Math.min(to.getTime(), from.getTime() + Math.max(SLICE_MS, 2 * overlapMs)))
  return { from: from.toISOString(), to: end.toISOString(), list: FEEDS[feed][0], after: null }
}

async function stagePage(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  feed: Feed,
  at: { text: string | null; slice: Slice },
): Promise<number> {
  const { slice } = at
  const range = { from: new Date(slice.from), to: new Date(slice.to) }
  const { objects, next } = await readPage(ctx, open, settings, slice.list, range, slice.after)
  await commitBatch(ctx, open, objects, open.source.effectNames, async (client, now) => {
    const position = positionAfter(feed, slice, next)
    if (position.open === null && feed === 'objects') await extendCoverage(client, open.id, range)
    await moveCursor(client, { sourceId: open.id, feed }, at.text, JSON.stringify(position), now)
  })
  return objects.length
}

function positionAfter(feed: Feed, slice: Slice, next: string | null): Position {
  // While a slice is open, what is covered ends where it begins: a pass that never ends covers nothing of it.
  if (next !== null) return { coveredTo: slice.from, open: { ...slice, after: next } }
  const lists: readonly string[] = FEEDS[feed]
  const following = FEEDS[feed][lists.indexOf(slice.list) + 1]
  return following === undefined
    ? { coveredTo: slice.to, open: null }
    : { coveredTo: slice.from, open: { ...slice, list: following, after: null } }
}

/** An on-demand window: listed beside the cursor, which does not move. */
async function stageWindow(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  window: TimeRange,
): Promise<number> {
  const latest = wholeSecond(new Date(ctx.clock.now().getTime() - settings.clockSkewMs))
  const range = {
    from: wholeSecond(window.from),
    to: new Date(Math.min(wholeSecond(window.to).getTime(), latest.getTime())),
  }
  if (range.to <= range.from) return 0
  let read = 0
  for (const list of FEEDS.objects) {
    let after: string | null = null
    do {
      const page: { objects: StagedObject[]; next: string | null } = await readPage(
        ctx,
        open,
        settings,
        list,
        range,
        after,
      )
      await commitBatch(ctx, open, page.objects, open.source.effectNames, async () => undefined)
      read += page.objects.length
      after = page.next
    } while (after !== null)
  }
  await commitBatch(ctx, open, [], null, (client) => extendCoverage(client, open.id, range))
  return read
}

async function readPage(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  list: Slice['list'],
  range: TimeRange,
  after: string | null,
): Promise<{ objects: StagedObject[]; next: string | null }> {
  // An answer is as old as its question.
  const observedAt = ctx.clock.now()
  const toObject = (object: ProviderObject) =>
    providerObject(object, observedAt, open.source.mode, settings.keySecret)
  if (list === 'charges') {
    const page = await open.source.listCharges(range, after)
    return { objects: oldestFirst(page.items).map(toObject), next: page.next }
  }
  if (list === 'refunds') {
    const page = await open.source.listRefunds(range, after)
    return { objects: oldestFirst(page.items).map(toObject), next: page.next }
  }
  const page = await open.source.listHints(range, after)
  return { objects: await followHints(ctx, open, settings, page.items), next: page.next }
}

/** Lists come newest first; our own order then tells apart what one second holds. */
const oldestFirst = <T>(items: readonly T[]): T[] => [...items].reverse()

/**
 * An event says that an object changed, not what it is now: events come late, twice and in any order. Objects that the
 * mirror holds just as the event shows them need no question; the others are read by id.
 */
async function followHints(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  hints: readonly ProviderHint[],
): Promise<StagedObject[]> {
  const newest = new Map<string, ProviderHint>()
  for (const hint of hints) {
    const other = newest.get(hint.object.id)
    if (other === undefined || hint.at > other.at) newest.set(hint.object.id, hint)
  }
  const shown = [...newest.values()].map(({ object, at }) =>
    providerObject(object, at, open.source.mode, settings.keySecret),
  )
  const changed = await changedObjects(ctx.db, open, shown)
  const read: StagedObject[] = []
  for (const object of changed) {
    read.push(
      await retrieve(ctx, open, settings, object.kind === 'refund' ? 'refund' : 'charge', object.objectId),
    )
  }
  return read
}

/** One object by its id, as it is now, or its absence. */
export async function retrieve(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  kind: 'charge' | 'refund',
  id: string,
): Promise<StagedObject> {
  const observedAt = ctx.clock.now()
  const found =
    kind === 'refund' ? await open.source.retrieveRefund(id) : await open.source.retrieveCharge(id)
  return found === null
    ? absentObject(kind, id, observedAt)
    : providerObject(found, observedAt, open.source.mode, settings.keySecret)
}

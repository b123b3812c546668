import { z } from 'zod'
import { inTransaction } from '@/lib/db'
import { moveCursor, readCursor } from '@/lib/mirror/cursor'
import { advanceRange, type HeldRange } from '@/lib/mirror/range'
import { extendCoverage, shrinkCoverage } from '@/lib/mirror/read/coverage'
import { type ProviderSource, SourceUnavailableError, type TimeRange } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import type { ReconcileSettings } from '../settings'
import { commitBatch, type StageContext } from './batch'
import { type ProviderList, readProviderPage } from './read-provider-page'
import { cutUp, type RangeWork, workPass } from './work-ranges'

/** What one worker takes at a time. */
const RANGE_MS = 6 * 3_600_000
/** https://docs.stripe.com/api/events: they are listed for 30 days. */
const EVENTS_KEPT_MS = 30 * 86_400_000
/** Passes that other runs left open come first; after that there is one of our own. */
const PASSES_MAX = 10

const LISTS = { objects: ['charges', 'refunds', 'disputes'], hints: ['hints'] } as const satisfies Record<
  string,
  readonly ProviderList[]
>
type Feed = keyof typeof LISTS
const FEEDS = ['objects', 'hints'] as const satisfies readonly Feed[]
const WINDOW = 'window:'

/** `coveredTo`: everything that was created before is listed. */
const cursorSchema = z.object({ coveredTo: z.iso.datetime() })

const positionSchema = z.object({
  list: z.enum(['charges', 'refunds', 'disputes', 'hints']),
  after: z.string().nullable(),
})

/**
 * Lists charges and refunds by the time of their creation, then reads the event feed for changes to older ones. `now` is
 * the provider's clock. The upper bound lies in its past, so that pages do not move; each pass overlaps the last for what
 * was shown late.
 */
export async function stageProvider(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  now: Date,
  window?: TimeRange,
): Promise<number> {
  const to = wholeSecond(new Date(now.getTime() - settings.clockSkewMs))
  if (window !== undefined) return stageWindow(ctx, open, settings, window, to)
  // A cursor that is ahead of the provider's clock was moved by a clock that was wrong: nobody knows since when.
  if (await isAhead(ctx, open.id, new Date(now.getTime() + settings.clockSkewMs))) {
    ctx.log.warn({ source: open.id }, 'a cursor is ahead of the provider: listing again')
    await rewindProvider(ctx, open.id, new Date(now.getTime() - settings.backfillMs))
  }
  const missed = await missedEvents(ctx, open.id, now)
  const read =
    (await advance(ctx, open, settings, 'objects', to)) + (await advance(ctx, open, settings, 'hints', to))
  if (missed !== null) {
    throw new SourceUnavailableError(
      `changes from ${missed.from.toISOString()} to ${missed.to.toISOString()} are older than its events are kept: reconcile that time on demand`,
    )
  }
  return read
}

/** The time of which the feed of events is gone, since it was not read for so long; null = there is none. */
async function missedEvents(ctx: StageContext, sourceId: string, now: Date): Promise<TimeRange | null> {
  const from = coveredToOf(await readCursor(ctx.db, sourceId, 'hints'))
  const to = new Date(now.getTime() - EVENTS_KEPT_MS)
  return from === null || from >= to ? null : { from, to }
}

/** So far a pass reaches back into the last: what was shown late comes with it. */
export const overlapMs = ({ settleDelayMs, clockSkewMs }: ReconcileSettings): number =>
  2 * settleDelayMs + clockSkewMs + 1000

const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000)

async function advance(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  feed: Feed,
  to: Date,
): Promise<number> {
  let read = 0
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const text = await readCursor(ctx.db, open.id, feed)
    const coveredTo = coveredToOf(text)
    if (coveredTo !== null && coveredTo >= to) return read
    const fromMs =
      coveredTo === null ? to.getTime() - settings.backfillMs : coveredTo.getTime() - overlapMs(settings)
    const pieces = cutUp({ from: wholeSecond(new Date(fromMs)), to }, settings.rangeMs ?? RANGE_MS)
    const ended = await workPass(
      ctx,
      { sourceId: open.id, feed },
      pieces,
      rangeWork(ctx, open, settings),
      async (client, range) => {
        await moveCursor(client, { sourceId: open.id, feed }, text, positionAt(range.to), ctx.clock.now())
      },
    )
    if (ended.kind === 'whole') read += ended.read
  }
  return read
}

const coveredToOf = (position: string | null): Date | null =>
  position === null ? null : new Date(cursorSchema.parse(JSON.parse(position)).coveredTo)

const positionAt = (coveredTo: Date): string => JSON.stringify({ coveredTo: coveredTo.toISOString() })

async function isAhead(ctx: StageContext, sourceId: string, of: Date): Promise<boolean> {
  const cursors = await Promise.all(FEEDS.map((feed) => readCursor(ctx.db, sourceId, feed)))
  return cursors.some((position) => (coveredToOf(position) ?? of) > of)
}

/** Lists again from this time on, and claims no more until then that what came after is complete. */
export async function rewindProvider(ctx: StageContext, sourceId: string, to: Date): Promise<void> {
  await inTransaction(ctx.db.pool, async (client) => {
    for (const feed of FEEDS) {
      const position = await readCursor(ctx.db, sourceId, feed)
      const coveredTo = coveredToOf(position)
      if (coveredTo === null || coveredTo <= to) continue
      await moveCursor(client, { sourceId, feed }, position, positionAt(wholeSecond(to)), ctx.clock.now())
    }
    await shrinkCoverage(client, sourceId, to)
  })
}

/** On demand: listed beside the cursor, which does not move. */
async function stageWindow(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  window: TimeRange,
  latest: Date,
): Promise<number> {
  const to = new Date(Math.min(wholeSecond(window.to).getTime(), latest.getTime()))
  const range = { from: wholeSecond(window.from), to }
  if (range.to <= range.from) return 0
  const feed = `${WINDOW}${range.from.toISOString()}/${range.to.toISOString()}`
  const pieces = cutUp(range, settings.rangeMs ?? RANGE_MS)
  const work = rangeWork(ctx, open, settings)
  const ended = await workPass(ctx, { sourceId: open.id, feed }, pieces, work, async () => undefined)
  return ended.kind === 'whole' ? ended.read : 0
}

/** Lists one range whole, page by page; a page's rows and the position behind it commit together. */
export function rangeWork(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
): RangeWork {
  return async (range) => {
    const lists: readonly ProviderList[] = LISTS[range.feed === 'hints' ? 'hints' : 'objects']
    let read = 0
    let at = range.position === null ? null : positionSchema.parse(JSON.parse(range.position))
    do {
      const { list, after } = at ?? { list: lists[0] ?? 'charges', after: null }
      const { objects, next } = await readProviderPage(ctx, open, settings, {
        list,
        range,
        after,
      })
      const following = next === null ? lists[lists.indexOf(list) + 1] : list
      at = following === undefined ? null : { list: following, after: next }
      const then = at
      await commitBatch(ctx, open, objects, open.source.effectNames, async (client, now) => {
        await endPage(client, range, then, objects.length, now)
      })
      read += objects.length
    } while (at !== null)
    return read
  }
}

async function endPage(
  client: Parameters<typeof advanceRange>[0],
  range: HeldRange,
  at: z.infer<typeof positionSchema> | null,
  read: number,
  now: Date,
): Promise<void> {
  const position = at === null ? null : JSON.stringify(at)
  await advanceRange(client, range, { position, done: at === null, read, now })
  if (at === null && range.feed !== 'hints') await extendCoverage(client, range.sourceId, range)
}

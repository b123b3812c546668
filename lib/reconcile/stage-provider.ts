import { z } from 'zod'
import type { ProviderSource, TimeRange } from '@/lib/sources/contracts'
import { extendCoverage } from '@/lib/sources/mirror/coverage'
import { moveCursor, readCursor } from '@/lib/sources/mirror/cursor'
import { advanceRange, type HeldRange } from '@/lib/sources/mirror/range'
import type { OpenSource } from '@/lib/sources/registry'
import { commitBatch, type StageContext } from './batch'
import { type ProviderList, readProviderPage } from './read-provider-page'
import type { ReconcileSettings } from './settings'
import { cutUp, type RangeWork, workPass } from './work-ranges'

/** What one worker takes at a time. */
const RANGE_MS = 6 * 3_600_000
/** Passes that other runs left open come first; after that there is one of our own. */
const PASSES_MAX = 10

const LISTS = { objects: ['charges', 'refunds', 'disputes'], hints: ['hints'] } as const satisfies Record<
  string,
  readonly ProviderList[]
>
type Feed = keyof typeof LISTS
const WINDOW = 'window:'

/** `coveredTo`: everything that was created before is listed. */
const cursorSchema = z.object({ coveredTo: z.iso.datetime() })

const positionSchema = z.object({
  list: z.enum(['charges', 'refunds', 'disputes', 'hints']),
  after: z.string().nullable(),
})

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
  const to = wholeSecond(new Date(ctx.clock.now().getTime() - settings.clockSkewMs))
  if (window !== undefined) return stageWindow(ctx, open, settings, window, to)
  return (
    (await advance(ctx, open, settings, 'objects', to)) + (await advance(ctx, open, settings, 'hints', to))
  )
}

const wholeSecond = (at: Date): Date => new Date(Math.floor(at.getTime() / 1000) * 1000)

async function advance(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  feed: Feed,
  to: Date,
): Promise<number> {
  const overlapMs = 2 * settings.settleDelayMs + settings.clockSkewMs + 1000
  let read = 0
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    const text = await readCursor(ctx.db, open.id, feed)
    const coveredTo = text === null ? null : new Date(cursorSchema.parse(JSON.parse(text)).coveredTo)
    if (coveredTo !== null && coveredTo >= to) return read
    const fromMs = coveredTo === null ? to.getTime() - settings.backfillMs : coveredTo.getTime() - overlapMs
    const pieces = cutUp({ from: wholeSecond(new Date(fromMs)), to }, settings.rangeMs ?? RANGE_MS)
    const ended = await workPass(
      ctx,
      { sourceId: open.id, feed },
      pieces,
      rangeWork(ctx, open, settings),
      async (client, range) => {
        const position = JSON.stringify({ coveredTo: range.to.toISOString() })
        await moveCursor(client, { sourceId: open.id, feed }, text, position, ctx.clock.now())
      },
    )
    if (ended.kind === 'whole') read += ended.read
  }
  return read
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
      const { objects, next } = await readProviderPage(ctx, open, settings, { list, range, after })
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

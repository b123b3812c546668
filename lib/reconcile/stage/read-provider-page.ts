import { changedObjects, observedTimes } from '@/lib/mirror/apply'
import type { StagedObject } from '@/lib/mirror/object'
import { absentObject, providerObject } from '@/lib/mirror/provider-object'
import { nextVersion } from '@/lib/mirror/version'
import type {
  ProviderHint,
  ProviderRecord,
  ProviderSource,
  ProviderUnreadable,
  TimeRange,
} from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import type { ReconcileSettings } from '../settings'
import type { StageContext } from './batch'

export type ProviderList = 'charges' | 'refunds' | 'disputes' | 'hints'

export type ProviderPage = { objects: StagedObject[]; next: string | null }

/** An object that was read so long after an event has its change: both times are whole seconds, rounded down. */
const HINT_SETTLED_MS = 2_000

/** One page of a list as it is staged. */
export async function readProviderPage(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  at: { list: ProviderList; range: TimeRange; after: string | null },
): Promise<ProviderPage> {
  if (at.list === 'hints') return readHints(ctx, open, settings, at)
  const { source } = open
  const read = { charges: source.listCharges, refunds: source.listRefunds, disputes: source.listDisputes }
  const version = await nextVersion(ctx.db)
  const page = await read[at.list](at.range, at.after)
  // A list may show an object as it was a while ago; reading it by id does not.
  const asOf = new Date(page.at.getTime() - settings.settleDelayMs)
  const objects = oldestFirst<ProviderRecord>(page.items).map((object) =>
    providerObject(object, { version, at: asOf }, { mode: source.mode, ...settings }),
  )
  return { objects, next: page.next }
}

/** Lists come newest first; our own order then tells apart what one second holds. */
const oldestFirst = <T>(items: readonly T[]): T[] => [...items].reverse()

async function readHints(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  { range, after }: { range: TimeRange; after: string | null },
): Promise<ProviderPage> {
  const version = await nextVersion(ctx.db)
  const page = await open.source.listHints(range, after)
  const hints = page.items.filter((item) => item.kind === 'hint')
  const unreadable = page.items.filter((item): item is ProviderUnreadable => item.kind === 'unreadable')
  // What an event that cannot be read tells of is not known: the event itself is set apart.
  const events = unreadable.map((event) =>
    providerObject(event, { version, at: page.at }, { mode: open.source.mode, ...settings }),
  )
  return { objects: [...events, ...(await followHints(ctx, open, settings, hints))], next: page.next }
}

/**
 * An event says that an object changed, not what it is now: events come late, twice and in any order. Objects that were
 * read since, or that the mirror holds just as the event shows them, need no question; the others are read by id.
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
  const read = await observedTimes(ctx.db, open.id, [...newest.keys()])
  const news = [...newest.values()].filter(({ object, at }) => {
    const readMs = read.get(object.id)?.getTime() ?? Number.NEGATIVE_INFINITY
    return readMs < at.getTime() + HINT_SETTLED_MS
  })
  const shown = news.flatMap(({ snapshot, at }) =>
    snapshot === null
      ? []
      : [providerObject(snapshot, { version: 0n, at }, { mode: open.source.mode, ...settings })],
  )
  const changed = new Set((await changedObjects(ctx.db, open, shown)).map(({ objectId }) => objectId))
  const objects: StagedObject[] = []
  for (const { object, snapshot } of news) {
    if (snapshot === null || changed.has(object.id)) {
      objects.push(...(await readById(ctx, open, settings, object)))
    }
  }
  return objects
}

/** What one id stands for now, or its absence. */
async function readById(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  { id, of }: ProviderHint['object'],
): Promise<StagedObject[]> {
  const { source } = open
  const version = await nextVersion(ctx.db)
  const resolved = await source.resolve(id, of)
  switch (resolved.kind) {
    case 'found':
      return resolved.objects.map((object) =>
        providerObject(object, { version, at: resolved.at }, { mode: source.mode, ...settings }),
      )
    case 'absent':
      return of === 'payment' ? [] : [absentObject(of, id, { version, at: resolved.at })]
    case 'unknown_id':
      return []
    default:
      return resolved satisfies never
  }
}

import type { ProviderHint, ProviderRecord, ProviderSource, TimeRange } from '@/lib/sources/contracts'
import { changedObjects } from '@/lib/sources/mirror/apply'
import type { StagedObject } from '@/lib/sources/mirror/object'
import { absentObject, providerObject } from '@/lib/sources/mirror/provider-object'
import type { OpenSource } from '@/lib/sources/registry'
import type { StageContext } from './batch'
import type { ReconcileSettings } from './settings'

export type ProviderList = 'charges' | 'refunds' | 'disputes' | 'hints'

export type ProviderPage = { objects: StagedObject[]; next: string | null }

/** One page of a list as it is staged. */
export async function readProviderPage(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  at: { list: ProviderList; range: TimeRange; after: string | null },
): Promise<ProviderPage> {
  // An answer is as old as its question.
  const observedAt = ctx.clock.now()
  const toObject = (object: ProviderRecord) =>
    providerObject(object, observedAt, open.source.mode, settings.keySecret)
  if (at.list === 'charges') {
    const page = await open.source.listCharges(at.range, at.after)
    return { objects: oldestFirst(page.items).map(toObject), next: page.next }
  }
  if (at.list === 'refunds') {
    const page = await open.source.listRefunds(at.range, at.after)
    return { objects: oldestFirst(page.items).map(toObject), next: page.next }
  }
  if (at.list === 'disputes') {
    const page = await open.source.listDisputes(at.range, at.after)
    return { objects: oldestFirst(page.items).map(toObject), next: page.next }
  }
  const page = await open.source.listHints(at.range, at.after)
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
    const kind = object.kind === 'refund' || object.kind === 'dispute' ? object.kind : 'charge'
    read.push(...(await readById(ctx, open, settings, kind, object.objectId)))
  }
  return read
}

/** What one id stands for now, or its absence. */
async function readById(
  ctx: StageContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
  kind: 'charge' | 'refund' | 'dispute',
  id: string,
): Promise<StagedObject[]> {
  const observedAt = ctx.clock.now()
  const resolved = await open.source.resolve(id)
  if (resolved.kind === 'absent') return [absentObject(kind, id, observedAt)]
  if (resolved.kind === 'unknown_id') return []
  return resolved.objects.map((object) =>
    providerObject(object, observedAt, open.source.mode, settings.keySecret),
  )
}

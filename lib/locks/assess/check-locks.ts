import type { SystemContext } from '@/lib/context'
import { notify } from '@/lib/live-events'
import type { IntentSource } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import { type OpenSource, openIntentSource, openIntentSources } from '@/lib/sources/registry'
import { type KeySettings, keySettings } from '../settings'
import { noteCheck } from '../unlisted'
import { createProviderAsker } from './ask-provider'
import { holderLife, type LeaseReading } from './holder-life'
import { readingOf, toLeaseReading } from './inspect'
import type { ProviderAnswer } from './provider-answer'
import { markGoneLocks, saveLocks } from './save-lock'

/** Leases of one source that a check reads, the oldest first; that a store has more is said wherever they are shown. */
const LEASES_MAX = 5_000
/** Keys of one source that one check asks the provider about, oldest first. */
const ASKED_MAX = 500
const SAVE_ROWS = 500

export type CheckedSource =
  | { source: string; kind: 'checked'; leases: number; stuck: number; gone: number; truncated: boolean }
  | { source: string; kind: 'unreachable'; error: string }

/** Reads the live leases of every intent source (or one), asks the provider about the stuck ones, keeps the verdicts. */
export async function checkLocks(
  ctx: SystemContext,
  sourceId?: string,
  settings: KeySettings = keySettings(),
  leasesMax: number = LEASES_MAX,
): Promise<CheckedSource[]> {
  const stores =
    sourceId === undefined ? await openIntentSources(ctx) : [await openIntentSource(ctx, sourceId)]
  const checked: CheckedSource[] = []
  for (const store of stores) {
    try {
      checked.push(await checkSource(ctx, store, settings, leasesMax))
    } catch (error) {
      // One store that is down must not hide the locks of the others.
      ctx.log.warn({ err: error, source: store.id }, 'the locks of a source could not be checked')
      const message = error instanceof Error ? error.message : String(error)
      checked.push({ source: store.id, kind: 'unreachable', error: message.slice(0, 300) })
    }
  }
  await notify(ctx.db.pool, { kind: 'locks' })
  return checked
}

async function checkSource(
  ctx: SystemContext,
  store: OpenSource<IntentSource>,
  settings: KeySettings,
  leasesMax: number,
): Promise<CheckedSource> {
  const checkedAt = ctx.clock.now()
  const read = await readAllLeases(store.source, leasesMax)
  const { now, leases, truncated } = read
  const asker = createProviderAsker(ctx, store.system, settings)
  let stuck = 0
  for (let start = 0; start < leases.length; start += SAVE_ROWS) {
    const readings = []
    for (const lease of leases.slice(start, start + SAVE_ROWS)) {
      const reading = await toLeaseReading(ctx, store.id, lease, now, settings)
      const isStuck = !isHeld(reading, settings)
      if (isStuck) stuck += 1
      const answer: ProviderAnswer =
        isStuck && stuck <= ASKED_MAX ? await asker.ask(reading) : { kind: 'not_asked' }
      readings.push(readingOf(store.source, reading, answer, settings))
    }
    await saveLocks(ctx, store.id, readings, checkedAt)
  }
  const gone = await markGoneLocks(ctx, store.id, read, checkedAt)
  await noteCheck(ctx, store.id, { checkedAt, listed: leases.length, more: truncated })
  return { source: store.id, kind: 'checked', leases: leases.length, stuck, gone, truncated }
}

/** Whether somebody holds it, or may: on the store's clock. */
function isHeld(reading: LeaseReading, settings: KeySettings): boolean {
  const { kind } = holderLife(reading, settings)
  return kind !== 'none' && kind !== 'dead'
}

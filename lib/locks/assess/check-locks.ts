import type { SystemContext } from '@/lib/context'
import { notify } from '@/lib/live-events'
import type { IntentSource } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import { type OpenSource, openIntentSource, openIntentSources } from '@/lib/sources/registry'
import { type KeySettings, keySettings } from '../settings'
import { noteCheck } from '../unlisted'
import { createProviderAsker } from './ask-provider'
import { askStuck } from './ask-stuck'
import { holderLife, type LeaseReading } from './holder-life'
import { readingOf, toLeaseReading } from './inspect'
import { markGoneLocks, saveLocks } from './save-lock'

/** Leases of one source that a check reads, the oldest first; that a store has more is said wherever they are shown. */
const LEASES_MAX = 5_000
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
  const readings: LeaseReading[] = []
  for (const lease of leases) readings.push(await toLeaseReading(ctx, store.id, lease, now, settings))
  const stuck = readings.filter((reading) => !isHeld(reading, settings))
  const asker = createProviderAsker(ctx, store.system, settings)
  const answers = await askStuck(ctx, store.id, asker, stuck, settings)
  const assessed = readings.map((reading) =>
    readingOf(store.source, reading, answers.get(reading) ?? { kind: 'not_asked' }, settings),
  )
  for (let start = 0; start < assessed.length; start += SAVE_ROWS)
    await saveLocks(ctx, store.id, assessed.slice(start, start + SAVE_ROWS), checkedAt)
  const gone = await markGoneLocks(ctx, store.id, read, checkedAt)
  await noteCheck(ctx, store.id, { checkedAt, listed: leases.length, more: truncated })
  return { source: store.id, kind: 'checked', leases: leases.length, stuck: stuck.length, gone, truncated }
}

/** Whether somebody holds it, or may: on the store's clock. */
function isHeld(reading: LeaseReading, settings: KeySettings): boolean {
  const { kind } = holderLife(reading, settings)
  return kind !== 'none' && kind !== 'dead'
}

import { CursorMovedError } from '@/lib/mirror/cursor'
import { RunCancelledError, RunLostError } from '@/lib/runs/handle'
import type { TimeRange } from '@/lib/sources/contracts'
import { openSystem, type SystemSources } from '@/lib/sources/registry'
import { type ReconcileSettings, reconcileSettings } from '../settings'
import type { StageContext } from './batch'
import { checkLedgerClock, earliestOf, readProviderClock } from './source-clock'
import { stageIntents } from './stage-intents'
import { stageLedger } from './stage-ledger'
import { stageMismatches } from './stage-mismatches'
import { rewindProvider, stageProvider } from './stage-provider'
import { suspiciouslyEmpty } from './suspicious'

export const SIDES = ['intent', 'ledger', 'provider'] as const
export type Side = (typeof SIDES)[number]

/** `none` = the system has no such source: nothing is asserted from its silence. */
export type SideState = 'complete' | 'incomplete' | 'none'

export type StageOutcome = {
  system: string
  /** Everything that had happened by then, and was visible, is staged. */
  asOf: Date
  sides: Record<Side, SideState>
  failures: { sourceId: string; name: string; message: string }[]
  read: number
}

export type StageOptions = { window?: TimeRange | undefined; settings?: ReconcileSettings }

const RACES_MAX = 50

/**
 * Brings the mirror of a system up to date, in ranges that each commit with their checkpoint. A source that fails makes
 * its side incomplete and leaves the others alone. Two stagers at once are wasteful, not wrong.
 */
export async function stageSystem(
  ctx: StageContext,
  system: string,
  options: StageOptions = {},
): Promise<StageOutcome> {
  const settings = options.settings ?? reconcileSettings()
  const sources = await openSystem(ctx, system)
  const providers = sources.providers.map((open) => ({ open, now: readProviderClock(ctx, open, settings) }))
  const outcome: StageOutcome = {
    system,
    asOf: await earliestOf(
      ctx,
      providers.map(({ now }) => now),
    ),
    sides: sidesOf(sources),
    failures: [],
    read: 0,
  }
  const fail = (side: Side, source: { id: string; name: string }, message: string) => {
    outcome.sides[side] = 'incomplete'
    outcome.failures.push({ sourceId: source.id, name: source.name, message })
  }
  const attempt = async (side: Side, source: { id: string; name: string }, work: () => Promise<number>) => {
    try {
      outcome.read += await withRaces(work)
    } catch (error) {
      // Losing the run is not the source's fault.
      if (error instanceof RunLostError || error instanceof RunCancelledError) throw error
      ctx.log.warn({ err: error, source: source.id }, 'staging a source failed')
      fail(side, source, error instanceof Error ? error.message : String(error))
    }
  }
  for (const off of sources.off) {
    // Messages are no side of a comparison.
    if (off.kind === 'outbox' || off.kind === 'dead_letters') continue
    fail(off.kind, off, `${off.why}: what only it holds is not compared`)
  }
  // The store first: an effect that its provider shows later is then at worst not there yet, never unexplained.
  for (const open of sources.intents) {
    await attempt('intent', open, async () => {
      const { read, unread, asOf } = await stageIntents(ctx, open, settings)
      // What a store that is read by the hour says nothing of is not judged yet.
      if (asOf !== null && asOf < outcome.asOf) outcome.asOf = asOf
      for (const why of unread) fail('intent', open, why)
      return read
    })
  }
  for (const open of sources.ledgers) {
    await attempt('ledger', open, async () => {
      await checkLedgerClock(ctx, open, settings)
      const { read, unread } = await stageLedger(ctx, open, options.window)
      if (unread !== null) fail('ledger', open, unread)
      return read
    })
  }
  for (const { open, now } of providers) {
    await attempt('provider', open, async () => stageProvider(ctx, open, settings, await now, options.window))
  }
  outcome.read += await withRaces(() => stageMismatches(ctx, system))
  for (const empty of await suspiciouslyEmpty(ctx, system, outcome.asOf, settings)) {
    fail(empty.side, empty, empty.message)
    // What it did not show is listed again, however long that lasts: until then nothing rests on its absence.
    if (empty.side === 'provider') await rewindProvider(ctx, empty.id, empty.since)
  }
  return outcome
}

/** As far as it depends on what is connected: a side of which a source is switched off is not whole. */
export function sidesOf({ intents, ledgers, providers, off }: SystemSources): Record<Side, SideState> {
  const state = (side: Side, open: readonly unknown[]): SideState => {
    if (off.some(({ kind }) => kind === side)) return 'incomplete'
    return open.length > 0 ? 'complete' : 'none'
  }
  return {
    intent: state('intent', intents),
    ledger: state('ledger', ledgers),
    provider: state('provider', providers),
  }
}

/** Another stager moved the same cursor: what it staged is staged, go on behind it. */
async function withRaces(work: () => Promise<number>): Promise<number> {
  for (let race = 0; ; race++) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof CursorMovedError) || race === RACES_MAX) throw error
    }
  }
}

import { writeConditions } from '@/lib/conditions/write-conditions'
import type { SystemContext } from '@/lib/context'
import type { LedgerSource, ProviderSource } from '@/lib/sources/contracts'
import type { OpenSource } from '@/lib/sources/registry'
import type { ReconcileSettings } from '../settings'

/** What a source's clock said, between two looks at ours. */
export type ClockReading = { before: Date; at: Date; after: Date }

/** A provider's clock has whole seconds, rounded down; a database's is exact. */
const ROUNDED_MS = { provider: 1000, intent: 0, ledger: 0 }

/**
 * The clock of a provider now. What it made is stamped by it, so that what was listed up to when, and what is old enough
 * to be called missing, is measured by it: ours may be ahead, or jump.
 */
export async function readProviderClock(
  ctx: SystemContext,
  open: OpenSource<ProviderSource>,
  settings: ReconcileSettings,
): Promise<Date> {
  const before = ctx.clock.now()
  const at = await open.source.now()
  await noteSkew(ctx, open, 'provider', { before, at, after: ctx.clock.now() }, settings)
  return at
}

/** The clock of a ledger: its feed goes by it. */
export async function checkLedgerClock(
  ctx: SystemContext,
  open: OpenSource<LedgerSource>,
  settings: ReconcileSettings,
): Promise<void> {
  const before = ctx.clock.now()
  const at = await open.source.storeClock()
  await noteSkew(ctx, open, 'ledger', { before, at, after: ctx.clock.now() }, settings)
}

/**
 * By whose clock a system is classified: its providers' own, of which the one that is furthest behind counts. Ours stands in
 * where there is none, or none that answers.
 */
export async function earliestOf(
  ctx: Pick<SystemContext, 'clock'>,
  clocks: readonly Promise<Date>[],
): Promise<Date> {
  const settled = await Promise.allSettled(clocks)
  const known = settled.flatMap((each) => (each.status === 'fulfilled' ? each.value.getTime() : []))
  return known.length === 0 ? ctx.clock.now() : new Date(Math.min(...known))
}

/** A clock that differs from ours by more than clocks may is a condition, on whichever side the fault is. */
export async function noteSkew(
  ctx: Pick<SystemContext, 'db'>,
  open: Pick<OpenSource, 'id' | 'name' | 'system'>,
  kind: keyof typeof ROUNDED_MS,
  reading: ClockReading,
  { clockSkewMs }: Pick<ReconcileSettings, 'clockSkewMs'>,
): Promise<void> {
  const aheadMs = aheadOf(reading, ROUNDED_MS[kind])
  const findings =
    Math.abs(aheadMs) <= clockSkewMs
      ? []
      : [
          {
            kind: 'clock_skew' as const,
            subject: open.id,
            detail: { name: open.name, system: open.system, seconds: Math.round(aheadMs / 1000) },
          },
        ]
  const evaluated = { kinds: ['clock_skew'], of: open.id, lastWriteHolds: true } as const
  await writeConditions(ctx.db.pool, reading.after, evaluated, findings)
}

/** How far ours is at least ahead of theirs, whatever the call took; negative = behind. */
function aheadOf({ before, at, after }: ClockReading, roundedMs: number): number {
  const aheadMs = before.getTime() - (at.getTime() + roundedMs)
  if (aheadMs > 0) return aheadMs
  return Math.min(0, after.getTime() - at.getTime())
}

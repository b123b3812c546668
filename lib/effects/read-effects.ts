import type { SystemContext } from '@/lib/context'
import { readEffectTotals } from '@/lib/telemetry/read/effects/effect-totals'
import { readOrphanTotals } from '@/lib/telemetry/read/effects/orphan-totals'
import { EFFECT_DAYS } from '@/lib/telemetry/retention'
import { groupCauses, sumAmounts } from './causes'
import { readUnseenEffects } from './confirmed-unseen'
import type { EffectKind } from './list-effects'
import { readCausedEffects } from './read-causes'

const DAY_MS = 86_400_000

/** Duplicates belong to a time; orphans are open until they are settled, whenever they happened. */
export async function readEffects(ctx: SystemContext, kind: EffectKind, range: { from: Date; to: Date }) {
  const now = ctx.clock.now()
  const everOpen = {
    from: new Date(now.getTime() - EFFECT_DAYS * DAY_MS),
    to: new Date(now.getTime() + DAY_MS),
  }
  const spans = { duplicate: { from: range.from, to: range.to }, orphan: everOpen }
  const [duplicates, orphans, totals, orphanTotals] = await Promise.all([
    readKind(ctx, 'duplicate', spans.duplicate),
    readKind(ctx, 'orphan', spans.orphan),
    readEffectTotals(ctx.db, spans.duplicate),
    readOrphanTotals(ctx.db, spans.duplicate),
  ])
  const shown = kind === 'duplicate' ? duplicates : orphans
  return {
    ...shown,
    amounts: sumAmounts(shown.causes.flatMap(({ effects }) => effects)),
    /** Null = not measured, never 0: without any effect that was seen, none says nothing. */
    counts: {
      duplicate: countOf(duplicates) || (totals.committed > 0n ? 0 : null),
      orphan: countOf(orphans) || (orphanTotals.known ? 0 : null),
    },
    /** Effects that happened at all in the range. */
    committed: totals.committed,
  }
}

async function readKind(ctx: SystemContext, kind: EffectKind, window: { from: Date; to: Date }) {
  const seen = await readCausedEffects(ctx, { kind, ...window })
  const named = seen.effects.flatMap(({ caseId }) => (caseId === null ? [] : [caseId]))
  const unseen = await readUnseenEffects(ctx, { kind, ...window, seen: [...new Set(named)] })
  return {
    causes: groupCauses(seen.effects, unseen.effects),
    /** Told by spans, as the charts count; the others reconciliation alone found. */
    bySpans: seen.effects.length,
    more: seen.more || unseen.more,
  }
}

const countOf = ({ causes }: { causes: readonly { effects: readonly unknown[] }[] }): number =>
  causes.reduce((sum, { effects }) => sum + effects.length, 0)

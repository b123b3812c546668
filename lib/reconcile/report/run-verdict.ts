import type { ReconciliationVerdict } from '@/lib/core/states'
import type { Standing } from '@/lib/core/verdict'
import type { SystemResult } from './run-results'

/** How a run stands, and what it says. */
export type RunVerdict = { standing: Standing; text: string }

// A verdict without words breaks the build.
const VERDICT: Record<ReconciliationVerdict, RunVerdict> = {
  reconciled: { standing: 'ok', text: 'Reconciled: every side says the same.' },
  with_pending: { standing: 'ok', text: 'Reconciled but for what is still on its way.' },
  with_warnings: { standing: 'warn', text: 'Reconciled, with warnings.' },
  breaks: { standing: 'bad', text: 'The sides do not agree.' },
  incomplete: { standing: 'stale', text: 'Incomplete: a source could not be read, so this proves nothing.' },
}

const isVerdict = (outcome: string | null): outcome is ReconciliationVerdict =>
  outcome !== null && outcome in VERDICT

export const INCOMPLETE = VERDICT.incomplete

/** What a run says; one that compared nothing proves nothing, and is never green. Null = it says nothing. */
export function verdictOf(
  outcome: string | null,
  results: readonly Pick<SystemResult, 'compared' | 'nothingCompared'>[],
): RunVerdict | null {
  if (!isVerdict(outcome)) return null
  if (results.length === 0)
    return { standing: 'unknown', text: 'Nothing was compared: no source is connected.' }
  const reason = results.map(({ nothingCompared }) => nothingCompared).find((each) => each !== null)
  if (outcome === 'incomplete' && reason !== undefined)
    return { standing: 'stale', text: `Incomplete: ${reason}.` }
  if (outcome === 'reconciled' && results.every(({ compared }) => compared === 0))
    return { standing: 'unknown', text: 'Nothing is new since the last run: there was nothing to compare.' }
  return VERDICT[outcome]
}

import { CASE_CLASS_NAMES } from '@/lib/core/case-classes'
import type { LookUp } from '../finding'

/** Single questions of one class in a run: a flood of one leaves room for the others. The rest is asked by the next. */
export const LOOK_UPS_OF_CLASS_MAX = 200

/** So many questions are asked at most, polls among them. */
export const LOOK_UPS_OF_RUN_MAX = (CASE_CLASS_NAMES.length + 1) * LOOK_UPS_OF_CLASS_MAX

/** What of these may still be asked for a class; `spent` counts it. Ledgers are asked for many ids at once. */
export function withinShare(
  spent: Map<string, number>,
  of: string,
  lookUps: readonly LookUp[],
): readonly LookUp[] {
  const before = spent.get(of) ?? 0
  const singles = lookUps.filter(({ kind }) => kind !== 'ledger')
  const asked = singles.slice(0, Math.max(0, LOOK_UPS_OF_CLASS_MAX - before))
  spent.set(of, before + asked.length)
  return [...lookUps.filter(({ kind }) => kind === 'ledger'), ...asked]
}

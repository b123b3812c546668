import { readTerms } from '@/lib/conditions/terms'
import type { Db } from '@/lib/db'
import type { Measure, MeasureId } from '@/lib/telemetry/measures/measure'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { withTargets } from './targets'

const MINUTE_MS = 60_000
/** The two windows of a burn: the long one says that it matters, the short one that it goes on. */
export const SHORT_MS = 5 * MINUTE_MS
export const LONG_MS = 60 * MINUTE_MS

/** What is promised: M7 and M10 are watched, and nobody is promised anything about them. */
const OBJECTIVES = ['M1', 'M2', 'M3', 'M4', 'M5', 'M6', 'M8', 'M9'] as const satisfies readonly MeasureId[]
/** Shares of something counted: only they have a budget that is used up. */
export const BUDGETED = ['M1', 'M2', 'M3', 'M5', 'M8'] as const satisfies readonly MeasureId[]
export type BudgetedId = (typeof BUDGETED)[number]

export type Objective = Measure & {
  /** The same measure over 5 and over 60 minutes before the end of the range; null = not measured. */
  short: number | null
  long: number | null
  /** How many times faster than allowed the budget goes; null = it has none, or nothing was measured. */
  burnShort: number | null
  burnLong: number | null
  /** Share of the range's budget that is left; below 0 = overspent; null = it has none, or nothing was measured. */
  budgetLeft: number | null
}

export const isBudgeted = (id: MeasureId): id is BudgetedId => (BUDGETED as readonly MeasureId[]).includes(id)

/** Each objective over a range, and how fast its budget went at the end of it. */
export async function readObjectives(
  db: Db,
  range: { from: Date; to: Date },
  now: Date,
): Promise<Objective[]> {
  const before = (ms: number) => ({ from: new Date(range.to.getTime() - ms), to: range.to })
  const [{ rules }, whole, short, long] = await Promise.all([
    readTerms(db.pool),
    readMeasures(db, range, now),
    readMeasures(db, before(SHORT_MS), now),
    readMeasures(db, before(LONG_MS), now),
  ])
  const agreed = withTargets(whole, rules)
  return OBJECTIVES.map((id) => objective(pick(agreed, id), pick(short, id), pick(long, id)))
}

function objective(measure: Measure, short: Measure, long: Measure): Objective {
  // A target of none at all leaves nothing to spend: it has no budget.
  const target = isBudgeted(measure.id) && measure.target !== 0 ? measure.target : null
  const burn = ({ value }: Measure) => (target === null || value === null ? null : value / target)
  const spent = burn(measure)
  return {
    ...measure,
    short: short.value,
    long: long.value,
    burnShort: burn(short),
    burnLong: burn(long),
    budgetLeft: spent === null ? null : 1 - spent,
  }
}

function pick(measures: readonly Measure[], id: MeasureId): Measure {
  const found = measures.find((measure) => measure.id === id)
  if (found === undefined) throw new Error(`readMeasures gives no ${id}`)
  return found
}

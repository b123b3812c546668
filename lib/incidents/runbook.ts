import { serviceOf } from '@/lib/alerts/about-alert'
import { fillRunbook, RUNBOOKS } from '@/lib/alerts/runbooks'
import type { Runbook } from '@/lib/alerts/runbooks/runbook'
import { CONDITION_KINDS } from '@/lib/core/condition-kinds'
import type { Db } from '@/lib/db'
import { type IncidentRange, rangeText } from './range'
import type { IncidentAlert } from './read-alerts'

/** What to do about the worst of its alerts, those that fire before those that are over. Null = it has none. */
export async function readRunbook(
  db: Db,
  alerts: readonly IncidentAlert[],
  range: IncidentRange,
  now: Date,
): Promise<Runbook | null> {
  const rank = ({ clearedAt, severity, kind }: IncidentAlert) =>
    (clearedAt === null ? 0 : 2_000) + (severity === 'page' ? 0 : 1_000) + CONDITION_KINDS.indexOf(kind)
  const [worst] = alerts.toSorted((a, b) => rank(a) - rank(b))
  if (worst === undefined) return null
  return fillRunbook(RUNBOOKS[worst.kind], {
    ...rangeText(range),
    service: await serviceOf(db, worst, range, now),
  })
}

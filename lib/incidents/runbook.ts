import { serviceOf } from '@/lib/alerts/about-alert'
import { worstOf } from '@/lib/alerts/now/verdict-sentence'
import { fillRunbook, RUNBOOKS } from '@/lib/alerts/runbooks'
import type { Runbook } from '@/lib/alerts/runbooks/runbook'
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
  const [worst] = [...worstOf(alerts.filter(({ clearedAt }) => clearedAt === null)), ...worstOf(alerts)]
  if (worst === undefined) return null
  return fillRunbook(RUNBOOKS[worst.kind], {
    ...rangeText(range),
    service: await serviceOf(db, worst, range, now),
  })
}

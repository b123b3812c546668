import { ALERTS, isUrgent, pathIn, rangeOf, subjectName } from '@/lib/alerts/about'
import type { Firing } from '@/lib/alerts/read-firing'
import type { ConditionLine } from './conditions'

/** What fires, for the bar: each opens its alert, with the runbook, in its own range. */
export function conditionLines(firing: readonly Firing[], now: Date): ConditionLine[] {
  return firing.map((alert) => ({
    id: alert.id,
    title: ALERTS[alert.kind].title,
    about: subjectName(alert),
    since: alert.since,
    urgent: isUrgent(alert) && alert.silence === null,
    silencedUntil: alert.silence?.endsAt ?? null,
    href: pathIn(`/alerts?open=${alert.id}`, rangeOf({ ...alert, clearedAt: null }, now)),
  }))
}

import { ALERTS, isUrgent, pathIn, rangeOf } from '@/lib/alerts/about'
import type { Firing } from '@/lib/alerts/read-firing'
import type { ConditionLine } from './conditions'

/** What fires, for the bar: each opens its alert, with the runbook, in its own range. */
export function conditionLines(firing: readonly Firing[], now: Date): ConditionLine[] {
  return firing.map((alert) => {
    const { name } = alert.detail
    const about = typeof name === 'string' ? name : alert.subject === 'all' ? null : alert.subject
    const { title } = ALERTS[alert.kind]
    return {
      id: alert.id,
      about,
      since: alert.since,
      title,
      urgent: isUrgent(alert) && alert.silence === null,
      silencedUntil: alert.silence?.endsAt ?? null,
      href: pathIn(`/alerts?open=${alert.id}`, rangeOf({ ...alert, clearedAt: null }, now)),
    }
  })
}

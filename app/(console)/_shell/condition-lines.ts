import type { ConditionKind, ConditionView } from '@/lib/core/verdict'
import type { ConditionLine } from './conditions'

type About = { title: string; urgent: boolean; path: string }

const ABOUT: Record<ConditionKind, About> = {
  duplicate_effects: {
    title: 'Duplicate side effects above target',
    urgent: true,
    path: '/effects?kind=duplicate',
  },
  store_errors: { title: 'Store errors above target', urgent: true, path: '/traces?bar=other' },
  case_flood: {
    title: 'More cases than the cap of a reconciliation',
    urgent: true,
    path: '/reconciliation',
  },
  intent_latency: { title: 'Intent to final above its limit', urgent: false, path: '/traces' },
  stale_source: { title: 'Source cannot be read', urgent: false, path: '/sources' },
  stale_telemetry: { title: 'Service sends no telemetry', urgent: false, path: '/sources' },
}
/** A condition holds over some minutes before it fires. */
const BEFORE_MS = 15 * 60_000

export function conditionLines(conditions: readonly ConditionView[], now: Date): ConditionLine[] {
  return conditions.map((condition) => {
    const { name } = condition.detail
    const about = typeof name === 'string' ? name : condition.subject === 'all' ? null : condition.subject
    const { title, urgent, path } = ABOUT[condition.kind]
    return {
      id: condition.id,
      about,
      since: condition.since,
      title,
      urgent,
      href: inRange(path, condition, now),
    }
  })
}

/** The page in the condition's own range: from a little before it began to this minute. */
function inRange(path: string, { since }: ConditionView, now: Date): string {
  const minuteMs = 60_000
  const from = new Date(Date.parse(since) - BEFORE_MS).toISOString()
  const to = new Date(Math.ceil(now.getTime() / minuteMs) * minuteMs).toISOString()
  return `${path}${path.includes('?') ? '&' : '?'}${new URLSearchParams({ from, to })}`
}

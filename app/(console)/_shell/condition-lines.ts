import type { ConditionKind, ConditionView } from '@/lib/core/verdict'
import type { ConditionLine } from './conditions'

const TITLE: Record<ConditionKind, { title: string; urgent: boolean }> = {
  duplicate_effects: { title: 'Duplicate side effects above target', urgent: true },
  store_errors: { title: 'Store errors above target', urgent: true },
  case_flood: { title: 'More cases than the cap of a reconciliation', urgent: true },
  intent_latency: { title: 'Intent to final above its limit', urgent: false },
  stale_source: { title: 'Source cannot be read', urgent: false },
  stale_telemetry: { title: 'Service sends no telemetry', urgent: false },
}

export function conditionLines(conditions: readonly ConditionView[]): ConditionLine[] {
  return conditions.map((condition) => {
    const { name } = condition.detail
    const about = typeof name === 'string' ? name : condition.subject === 'all' ? null : condition.subject
    return { id: condition.id, about, since: condition.since, ...TITLE[condition.kind] }
  })
}

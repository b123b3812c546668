import type { IncidentAlert } from '../read-alerts'

/** What of the time line an event comes from; each has its own order of equal moments. */
export const EVENT_SOURCES = [
  'entry',
  'alert_raised',
  'alert_cleared',
  'acknowledgement',
  'deploy',
  'run',
  'action',
  'case_opened',
  'case_resolved',
] as const
export type EventSource = (typeof EVENT_SOURCES)[number]

/** Without what reconciliation writes down by itself: in a storm, hundreds between two decisions. */
export const PEOPLES_EVENTS: readonly EventSource[] = EVENT_SOURCES.filter(
  (source) => source !== 'run' && source !== 'case_opened' && source !== 'case_resolved',
)

export type TimelineEvent = {
  id: string
  source: EventSource
  /** Of the event itself. */
  at: string
  /** Moments within are RFC 3339. */
  text: string
  detail: string
  /** Null = the console, or a service. */
  by: string | null
  /** Where it is told in full; null = nowhere else. */
  path: string | null
  /** Whose clock stamped it. */
  clock: 'console' | 'service'
}

/** Up to `to`, which is not included, the latest first; of those at the moment of `after` only what comes behind it. */
export type EventWindow = { from: Date; to: Date; after: { at: string; id: string } | null; limit: number }

export type EventContext = { incidentId: string; system: string | null; alerts: readonly IncidentAlert[] }

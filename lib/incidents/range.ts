import { wholeSeconds } from '@/lib/alerts/about'
import type { IncidentAlert } from './read-alerts'
import type { IncidentView } from './view'

const MINUTE_MS = 60_000
/** What led to it. */
const BEFORE_MS = 15 * MINUTE_MS
/** As far as any page of the console looks. */
const LENGTH_MAX_MS = 31 * 86_400_000

export type IncidentRange = { from: Date; to: Date }

/** From a little before its first fact to its end, or to now, in whole minutes; of a longer one the first 31 days. */
export function incidentRange(
  incident: IncidentView,
  alerts: readonly IncidentAlert[],
  now: Date,
): IncidentRange {
  const begins = [
    incident.openedAt,
    incident.beganAt ?? incident.openedAt,
    ...alerts.map(({ since }) => since),
  ]
  const fromMs = Math.min(...begins.map((at) => Date.parse(at))) - BEFORE_MS
  const endMs = incident.closedAt === null ? now.getTime() : Date.parse(incident.closedAt)
  const from = Math.floor(fromMs / MINUTE_MS) * MINUTE_MS
  const to = Math.min(Math.ceil(endMs / MINUTE_MS) * MINUTE_MS, from + LENGTH_MAX_MS)
  return { from: new Date(from), to: new Date(Math.max(to, from + MINUTE_MS)) }
}

/** As links and the API write it: 2026-11-22T02:42:00Z. */
export const rangeText = ({ from, to }: IncidentRange) => ({
  from: wholeSeconds(from.getTime()),
  to: wholeSeconds(to.getTime()),
})

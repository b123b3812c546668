import { createLoader, createSerializer, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { BUDGETED } from '@/lib/alerts/objectives'
import { SILENCE_STATES } from '@/lib/alerts/silences/view'
import { CONDITION_KINDS } from '@/lib/core/verdict'

// Which alert, which budget, which silences and which history are looked at, in the URL.

const parsers = {
  /** An alert, with its runbook. */
  open: parseAsString,
  objective: parseAsStringLiteral(BUDGETED).withDefault('M2'),
  silences: parseAsStringLiteral(SILENCE_STATES).withDefault('active'),
  kind: parseAsStringLiteral(CONDITION_KINDS),
  cursor: parseAsString,
}
export const loadAlerts = createLoader(parsers)
export const writeAlerts = createSerializer(parsers)
export type AlertsQuery = Awaited<ReturnType<typeof loadAlerts>>

import { createLoader, createSerializer, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { INCIDENT_SEVERITIES, INCIDENT_STATUS_NAMES } from '@/lib/core/incident-states'

// Which incidents are looked at, in the URL.

const parsers = {
  status: parseAsStringLiteral(INCIDENT_STATUS_NAMES),
  severity: parseAsStringLiteral(INCIDENT_SEVERITIES),
  system: parseAsString,
  cursor: parseAsString,
}
export const loadIncidents = createLoader(parsers)
export const writeIncidents = createSerializer(parsers)

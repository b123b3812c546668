import { createLoader, createSerializer, parseAsString } from 'nuqs/server'
import type { TimeRange } from '@/app/_ui/time-range'
import type { AuditFilter } from '@/lib/audit/list'
import { given } from '@/lib/core/given'

// Which entries are looked at, in the URL.

export const auditParsers = {
  q: parseAsString,
  verb: parseAsString,
  subject: parseAsString,
  outcome: parseAsString,
  open: parseAsString,
  cursor: parseAsString,
}
export const loadAudit = createLoader(auditParsers)
export const writeAudit = createSerializer(auditParsers)
export type AuditQuery = Awaited<ReturnType<typeof loadAudit>>

/** All of one subject, whenever it was; else what lies in the range. */
export function auditFilterOf(query: AuditQuery, range: TimeRange): AuditFilter {
  const { verb, outcome, q, subject } = query
  const place = subject === null ? { from: range.from, to: range.to } : { subject }
  return given({ verb, outcome, text: q, ...place })
}

export const isFiltered = ({ q, verb, subject, outcome }: AuditQuery): boolean =>
  [q, verb, subject, outcome].some((value) => value !== null)

import {
  createLoader,
  createSerializer,
  parseAsBoolean,
  parseAsInteger,
  parseAsString,
  parseAsStringLiteral,
} from 'nuqs/server'
import type { TimeRange } from '@/app/_ui/time-range'
import { given } from '@/lib/core/given'
import { env } from '@/lib/env'
import { keyHash } from '@/lib/sources/key-hash'
import { OUTCOME_BARS, type TraceFilter } from '@/lib/telemetry/read/traces/list-traces'

// Which traces are looked at, in the URL.

export const traceParsers = {
  q: parseAsString,
  sort: parseAsStringLiteral(['worst', 'newest']).withDefault('worst'),
  failed: parseAsBoolean.withDefault(false),
  outcome: parseAsString,
  endpoint: parseAsString,
  /** The column of a chart's bar that was opened, and how many it counted. */
  bar: parseAsStringLiteral(['all', ...OUTCOME_BARS]),
  counted: parseAsInteger,
  cursor: parseAsString,
}
export const loadTraces = createLoader(traceParsers)
export const writeTraces = createSerializer(traceParsers)
export type TraceQuery = Awaited<ReturnType<typeof loadTraces>>

const TRACE_ID = /^[0-9a-f]{32}$/i

/** What was typed is a trace's id when it has the form of one, else a key, which telemetry knows by its hash. */
export function traceFilterOf(query: TraceQuery, range: TimeRange): TraceFilter {
  const secret = env().IDEMSCOPE_KEY_SECRET
  const { outcome, endpoint, bar } = query
  const q = query.q?.trim() ?? ''
  const isTrace = TRACE_ID.test(q)
  return {
    from: range.from,
    to: range.to,
    ...given({
      outcome,
      endpoint,
      traceId: isTrace ? q.toLowerCase() : null,
      keyHash: q !== '' && !isTrace && secret !== undefined ? keyHash(secret, q) : null,
      failedOnly: query.failed || null,
      bar: bar === 'all' ? null : bar,
    }),
  }
}

export const isFiltered = ({ q, failed, outcome, endpoint, bar }: TraceQuery): boolean =>
  failed || (bar !== null && bar !== 'all') || q !== null || outcome !== null || endpoint !== null

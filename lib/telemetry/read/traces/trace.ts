import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

/** A page shows at most this many spans of a trace; `truncated` says that there are more. */
const TRACE_SPANS_MAX = 10_000

const rowSchema = z.object({
  spanId: z.string(),
  parentSpanId: z.string().nullable(),
  name: z.string(),
  kind: z.number(),
  statusCode: z.number(),
  statusMessage: z.string().nullable(),
  service: z.string(),
  version: z.string(),
  instance: z.string(),
  startTime: z.date(),
  endTime: z.date(),
  /** exact; decimal */
  durationNs: z.string(),
  attributes: z.record(z.string(), z.unknown()),
  events: z.array(z.unknown()).nullable(),
  links: z.array(z.unknown()).nullable(),
})
export type TraceSpan = z.infer<typeof rowSchema>

const SQL = `
  SELECT encode(span_id, 'hex') AS "spanId", encode(parent_span_id, 'hex') AS "parentSpanId", name, kind,
         status_code AS "statusCode", status_message AS "statusMessage", service, version, instance,
         start_time AS "startTime", end_time AS "endTime", duration_ns::text AS "durationNs", attributes, events, links
  FROM telemetry.span WHERE trace_id = decode($1, 'hex')
  ORDER BY start_time, start_nanos, span_id LIMIT $2`

export async function readTrace(
  db: Db,
  traceId: string,
): Promise<{ spans: TraceSpan[]; truncated: boolean }> {
  const rows = await readRows(db.pool, rowSchema, SQL, [traceId, TRACE_SPANS_MAX + 1])
  return { spans: rows.slice(0, TRACE_SPANS_MAX), truncated: rows.length > TRACE_SPANS_MAX }
}

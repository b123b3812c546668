import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

export type RequestSpan = {
  spanId: string
  name: string
  durationNs: string
  attributes: Record<string, unknown>
}

const rowSchema = z.object({
  spanId: z.string(),
  name: z.string(),
  durationNs: z.string(),
  attributes: z.record(z.string(), z.unknown()),
})

/** By trace, which is what the partitions index. */
const SQL = `
  SELECT encode(span_id, 'hex') AS "spanId", name, duration_ns::text AS "durationNs", attributes
  FROM telemetry.span
  WHERE trace_id = decode($1, 'hex') AND span_id = decode($2, 'hex') LIMIT 1`

/** One span with its attributes; null = spans of that time are kept no more. */
export async function readSpan(
  db: Db,
  { traceId, spanId }: { traceId: string; spanId: string },
): Promise<RequestSpan | null> {
  const [row] = await readRows(db.pool, rowSchema, SQL, [traceId, spanId])
  return row ?? null
}

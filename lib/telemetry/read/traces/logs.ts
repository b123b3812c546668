import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

const rowSchema = z.object({
  time: z.date(),
  receivedAt: z.date(),
  severity: z.number(),
  severityText: z.string().nullable(),
  eventName: z.string().nullable(),
  body: z.unknown(),
  attributes: z.record(z.string(), z.unknown()),
  service: z.string(),
  version: z.string(),
  instance: z.string(),
  traceId: z.string().nullable(),
  spanId: z.string().nullable(),
  keyHash: z.string().nullable(),
  scope: z.string().nullable(),
})
export type LogRecord = z.infer<typeof rowSchema>

const SELECT = `
  SELECT time, received_at AS "receivedAt", severity, severity_text AS "severityText", event_name AS "eventName", body,
         attributes, service, version, instance, encode(trace_id, 'hex') AS "traceId",
         encode(span_id, 'hex') AS "spanId", encode(key_hash, 'hex') AS "keyHash", scope
  FROM telemetry.log`

/** The log records of a trace, oldest first: beside readTrace. */
export function readTraceLogs(db: Db, traceId: string, limit = 1_000): Promise<LogRecord[]> {
  const sql = `${SELECT} WHERE trace_id = decode($1, 'hex') ORDER BY time, digest LIMIT $2`
  return readRows(db.pool, rowSchema, sql, [traceId, limit])
}

/** The log records that name a key, oldest first: evidence beside its keyed requests; they are counted in no measure. */
export function readKeyLogs(
  db: Db,
  query: { keyHash: string; scope?: string | undefined; limit: number },
): Promise<LogRecord[]> {
  const sql = `${SELECT} WHERE key_hash = decode($1, 'hex') AND ($2::text IS NULL OR scope IS NULL OR scope = $2)
  ORDER BY time, digest LIMIT $3`
  return readRows(db.pool, rowSchema, sql, [query.keyHash, query.scope ?? null, query.limit])
}

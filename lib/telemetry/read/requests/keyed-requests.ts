import { z } from 'zod'
import type { Db } from '@/lib/db'
import { readRows } from '../rows'

export type KeyedRequest = {
  time: Date
  endTime: Date
  traceId: string
  spanId: string
  service: string
  version: string
  instance: string
  scope: string
  endpoint: string
  client: string
  outcome: string
  recordState: string | null
  recordCreatedAt: Date | null
  recordExpiresAt: Date | null
  attempt: number | null
  /** decimal: fences exceed 2^53 in time */
  fence: string | null
  owner: string | null
  statusCode: number | null
  originalTraceId: string | null
  firstSeen: boolean
  duplicate: boolean
  expiredRetry: boolean
  effectTwice: boolean
}

const rowSchema = z
  .object({
    time: z.date(),
    endTime: z.date(),
    traceId: z.string(),
    spanId: z.string(),
    service: z.string(),
    version: z.string(),
    instance: z.string(),
    scope: z.string(),
    endpoint: z.string(),
    client: z.string(),
    outcome: z.string(),
    recordState: z.string().nullable(),
    recordCreatedAt: z.date().nullable(),
    recordExpiresAt: z.date().nullable(),
    attempt: z.number().nullable(),
    fence: z.string().nullable(),
    owner: z.string().nullable(),
    statusCode: z.number().nullable(),
    originalTraceId: z.string().nullable(),
    firstSeen: z.boolean(),
    duplicate: z.boolean(),
    expiredRetry: z.boolean(),
    effectTwice: z.boolean(),
  })
  .transform((row): KeyedRequest => row)

/** The key's own row bounds the time, so that only partitions that hold it are read. */
const SQL = `
  SELECT s.time, s.end_time AS "endTime", encode(s.trace_id, 'hex') AS "traceId", encode(s.span_id, 'hex') AS "spanId",
         s.service, s.version, s.instance, s.scope, s.endpoint, s.client, s.outcome, s.record_state AS "recordState",
         s.record_created_at AS "recordCreatedAt", s.record_expires_at AS "recordExpiresAt", s.attempt,
         s.fence::text AS fence, s.owner, s.status_code AS "statusCode",
         encode(s.original_trace_id, 'hex') AS "originalTraceId", s.first_seen AS "firstSeen", s.duplicate,
         s.expired_retry AS "expiredRetry", s.effect_twice AS "effectTwice"
  FROM telemetry.key k
  JOIN telemetry.keyed_request s ON s.key_hash = k.key_hash AND s.scope = k.scope
   AND s.time >= k.first_seen_at AND s.time <= k.last_seen_at
  WHERE k.key_hash = decode($1, 'hex') AND ($2::text IS NULL OR k.scope = $2)
  ORDER BY s.time, s.span_id
  LIMIT $3`

/** The attempts of one key, oldest first. Without a scope: of every scope that used it. */
export function listKeyedRequests(
  db: Db,
  query: { scope?: string | undefined; keyHash: string; limit: number },
): Promise<KeyedRequest[]> {
  return readRows(db.pool, rowSchema, SQL, [query.keyHash, query.scope ?? null, query.limit])
}

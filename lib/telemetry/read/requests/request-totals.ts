import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rowsOfWindow } from '@/lib/telemetry/rollup/roll-up-rows'
import { type TelemetryWindow, windowParameters } from '@/lib/telemetry/window'
import { bigintColumn, readRows } from '../rows'

const rowSchema = z.object({
  outcome: z.string(),
  requests: bigintColumn,
  store_operations: bigintColumn,
  store_errors: bigintColumn,
  expired_retries: bigintColumn,
  executed_again: bigintColumn,
  ttl_max_ms: bigintColumn.nullable(),
})
export type RequestTotals = z.infer<typeof rowSchema>

const sqlOf = (window: TelemetryWindow) => `
  SELECT outcome, sum(requests)::text AS requests, sum(store_operations)::text AS store_operations,
         sum(store_errors)::text AS store_errors, sum(expired_retries)::text AS expired_retries,
         sum(executed_again)::text AS executed_again, max(ttl_max_ms)::text AS ttl_max_ms
  FROM ${rowsOfWindow(
    'request',
    window,
    'day',
    'outcome, requests, store_operations, store_errors, expired_retries, executed_again, ttl_max_ms, service, endpoint, client',
  )}
  WHERE ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)
  GROUP BY outcome`

export function readRequestTotals(db: Db, window: TelemetryWindow): Promise<RequestTotals[]> {
  return readRows(db.pool, rowSchema, sqlOf(window), windowParameters(window))
}

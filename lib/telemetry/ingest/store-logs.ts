import { z } from 'zod'
import { redactUrls } from '@/lib/core/redact'
import type { Db } from '@/lib/db'
import type { AcceptedLog } from '../interpret/interpret-logs'
import { type Micros, microsOf, microsOfNs } from '../micros'
import { countIntake } from './count-intake'
import { COUNT_ARRIVED } from './insert-spans'
import { inRetriedTransaction } from './retried-transaction'
import { copyIn } from './rows/copy-in'
import { attributesJson, valueJson } from './rows/json-text'
import { RowWriter } from './rows/row-writer'
import { readResource, small } from './rows/rows'

/** A temporary table of the connection, emptied at each commit. */
const OPEN_LOG_STAGE = `
  CREATE TEMP TABLE IF NOT EXISTS log_stage (LIKE telemetry.log) ON COMMIT DELETE ROWS`

/** In the order of their identity, so that two receivers of the same resend cannot deadlock. $1 = received at. */
const INSERT_LOGS = `
  WITH inserted AS (
    INSERT INTO telemetry.log SELECT * FROM log_stage ORDER BY digest, time
    ON CONFLICT DO NOTHING
    RETURNING time AS at, service, version, environment
  )
  SELECT date_bin('1 minute', at, 'epoch') AS minute, service, version, environment, 0 AS spans,
         count(*)::int AS logs,${COUNT_ARRIVED}
  FROM inserted GROUP BY 1, 2, 3, 4`

const COLUMNS = `time, received_at, severity, digest, trace_id, span_id, key_hash, severity_text, event_name, service,
  version, instance, environment, region, scope, body, attributes`

const LOG_BYTES_GUESSED = 1_024

const insertedSchema = z.array(z.object({ logs: z.number().int() }).loose())

/** Stores log records in one transaction; resolves after COMMIT with how many were new. The same record twice is one. */
export async function storeLogs(
  db: Db,
  batch: readonly AcceptedLog[],
  receivedAt: Date,
): Promise<{ inserted: number }> {
  if (batch.length === 0) return { inserted: 0 }
  const received = microsOf(receivedAt)
  const writer = new RowWriter(batch.length * LOG_BYTES_GUESSED)
  for (const each of batch) writeLog(writer, each, received)
  const pieces = writer.take()
  return inRetriedTransaction(db.pool, async (client) => {
    await client.query(OPEN_LOG_STAGE)
    await copyIn(client, [{ target: `log_stage (${COLUMNS})`, pieces }])
    const arrived = (await client.query(INSERT_LOGS, [receivedAt])).rows
    await countIntake(client, arrived, new Set(), receivedAt)
    return { inserted: insertedSchema.parse(arrived).reduce((sum, row) => sum + row.logs, 0) }
  })
}

function writeLog(
  to: RowWriter,
  { log, timeNs, keyHash, scope, digest }: AcceptedLog,
  received: Micros,
): void {
  to.row(17)
  to.time(microsOfNs(timeNs))
  to.time(received)
  to.int2(small(log.severity))
  to.hex(digest)
  to.hex(log.traceId.length === 32 ? log.traceId : null)
  to.hex(log.spanId.length === 16 ? log.spanId : null)
  to.hex(keyHash)
  to.text(log.severityText === '' ? null : log.severityText)
  to.text(log.eventName === '' ? null : redactUrls(log.eventName))
  to.fields(readResource(log.resource).fields)
  to.text(scope)
  to.jsonb(log.body === null ? null : valueJson(log.body))
  to.jsonb(attributesJson(log.attributes))
}

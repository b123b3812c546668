import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { AcceptedLog } from '../interpret/interpret-logs'
import { type Micros, microsOf, microsOfNs } from '../micros'
import { INSERT_LOGS, OPEN_LOG_STAGE } from '../sql/insert-logs'
import { copyIn } from './copy-in'
import { countIntake } from './count-intake'
import { attributesJson, valueJson } from './json-text'
import { inRetriedTransaction } from './retry'
import { RowWriter } from './row-writer'
import { readResource, small } from './rows'

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
  to.text(log.eventName === '' ? null : log.eventName)
  to.fields(readResource(log.resource).fields)
  to.text(scope)
  to.jsonb(log.body === null ? null : valueJson(log.body))
  to.jsonb(attributesJson(log.attributes))
}

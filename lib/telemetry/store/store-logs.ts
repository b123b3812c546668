import { z } from 'zod'
import type { Db } from '@/lib/db'
import type { AcceptedLog } from '../interpret/interpret-logs'
import { INSERT_LOGS, OPEN_LOG_STAGE } from '../sql/insert-logs'
import { attributesField } from './attributes-field'
import { copyIn } from './copy-in'
import { escapeText, hex, json, NULL, nullable, small, timestamp } from './copy-text'
import { countIntake } from './count-intake'
import { inRetriedTransaction } from './retry'
import { readResource } from './rows'

const COLUMNS = `time, received_at, severity, digest, trace_id, span_id, key_hash, severity_text, event_name, service,
  version, instance, environment, region, scope, body, attributes`

const insertedSchema = z.array(z.object({ logs: z.number().int() }).loose())

/** Stores log records in one transaction; resolves after COMMIT with how many were new. The same record twice is one. */
export async function storeLogs(
  db: Db,
  batch: readonly AcceptedLog[],
  receivedAt: Date,
): Promise<{ inserted: number }> {
  if (batch.length === 0) return { inserted: 0 }
  const received = receivedAt.toISOString()
  const lines = batch.map((each) => `${fields(each, received)}\n`)
  return inRetriedTransaction(db.pool, async (client) => {
    await client.query(OPEN_LOG_STAGE)
    await copyIn(client, `log_stage (${COLUMNS})`, lines)
    const arrived = (await client.query(INSERT_LOGS, [receivedAt])).rows
    await countIntake(client, arrived, new Set(), receivedAt)
    return { inserted: insertedSchema.parse(arrived).reduce((sum, row) => sum + row.logs, 0) }
  })
}

function fields({ log, timeNs, keyHash, scope, digest }: AcceptedLog, received: string): string {
  const id = (value: string, characters: number) => (value.length === characters ? hex(value) : NULL)
  const told = (value: string) => (value === '' ? NULL : escapeText(value))
  return (
    `${timestamp(timeNs)}\t${received}\t${small(log.severity)}\t${hex(digest)}\t${id(log.traceId, 32)}\t` +
    `${id(log.spanId, 16)}\t${hex(keyHash)}\t${told(log.severityText)}\t${told(log.eventName)}\t` +
    `${readResource(log.resource).fields}\t${nullable(scope)}\t${log.body === null ? NULL : escapeText(json(log.body))}\t` +
    `${attributesField(log.attributes)}`
  )
}

import type pg from 'pg'
import { textOfMicros } from '../micros'
import type { FactRow } from './rows/fact-row'
import { queryPrepared } from './rows/prepared'

/** $1 = deliveries as JSON rows. */
const ROWS = `jsonb_to_recordset($1::jsonb) AS r("messageHash" text, "messageId" text, destination text, consumer text,
  attempt integer, told boolean, "keyHash" text, time timestamptz, "traceId" text, "spanId" text, service text, version text)`

/** As LOCK_KEYS: whoever computes flags of a message's deliveries holds its row. */
const LOCK_MESSAGES = `
  INSERT INTO telemetry.message AS m (message_hash, first_at, last_at)
  SELECT decode("messageHash", 'hex'), min(time), max(time) FROM ${ROWS} GROUP BY 1 ORDER BY 1
  ON CONFLICT (message_hash) DO UPDATE SET
    first_at = least(m.first_at, excluded.first_at), last_at = greatest(m.last_at, excluded.last_at)`

const INSERT_DELIVERIES = `
  WITH inserted AS (
    INSERT INTO telemetry.delivery (time, attempt, first_seen, redelivered, told, trace_id, span_id, message_hash,
      key_hash, service, version, destination, consumer, message_id)
    SELECT time, attempt, false, true, told, decode("traceId", 'hex'), decode("spanId", 'hex'),
           decode("messageHash", 'hex'), decode("keyHash", 'hex'), service, version, destination, consumer, "messageId"
    FROM ${ROWS} ORDER BY time, "traceId", "spanId"
    ON CONFLICT DO NOTHING
    RETURNING time
  )
  INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT date_bin('1 minute', time, 'epoch') FROM inserted`

/** first_seen = the earliest known processing of the message; any other is a redelivery, told or not. */
const REFLAG_DELIVERIES = `
  WITH flagged AS (
    SELECT d.time, d.trace_id, d.span_id,
           row_number() OVER (PARTITION BY d.message_hash ORDER BY d.time, d.trace_id, d.span_id) = 1 AS first_seen
    FROM telemetry.message m
    JOIN telemetry.delivery d ON d.message_hash = m.message_hash AND d.time >= m.first_at AND d.time <= m.last_at
    WHERE m.message_hash IN (SELECT decode("messageHash", 'hex') FROM ${ROWS})
  ), changed AS (
    UPDATE telemetry.delivery d SET first_seen = f.first_seen, redelivered = d.told OR NOT f.first_seen
    FROM flagged f
    WHERE d.time = f.time AND d.trace_id = f.trace_id AND d.span_id = f.span_id
      AND (d.first_seen, d.redelivered) IS DISTINCT FROM (f.first_seen, d.told OR NOT f.first_seen)
    RETURNING d.time
  )
  INSERT INTO telemetry.dirty_minute (minute) SELECT DISTINCT date_bin('1 minute', time, 'epoch') FROM changed`

/** Processings of messages (M8), with their flags: after the keys, inside the same transaction. */
export async function storeDeliveries(client: pg.PoolClient, rows: readonly FactRow[]): Promise<void> {
  const deliveries = rows.flatMap(({ delivery, start, traceId, spanId, resource: { service, version } }) =>
    delivery === null ? [] : [{ ...delivery, time: textOfMicros(start), traceId, spanId, service, version }],
  )
  if (deliveries.length === 0) return
  const json = JSON.stringify(deliveries)
  for (const statement of [LOCK_MESSAGES, INSERT_DELIVERIES, REFLAG_DELIVERIES])
    await queryPrepared(client, statement, [json])
}

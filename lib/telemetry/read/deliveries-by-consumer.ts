import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rollUpRows } from '../rollup/roll-up-rows'
import { type TelemetryWindow, toMinutes, windowParameters } from '../window'
import { bigintColumn, readRows } from './rows'

const rowSchema = z.object({
  topic: z.string(),
  group: z.string(),
  messages: bigintColumn,
  redeliveries: bigintColumn,
  dropped: bigintColumn,
})
/** Of one consumer: messages, those delivered again, and deliveries that its record answered. */
export type ConsumerDeliveries = z.infer<typeof rowSchema>

const ROWS_MAX = 100

/** A consumer's executions are keyed requests of the endpoint `CONSUME {topic}`: a replay is a duplicate that was dropped. */
const SQL = `
  SELECT coalesce(d.topic, r.topic) AS topic, coalesce(d."group", r."group") AS "group",
    coalesce(d.messages, 0)::text AS messages, coalesce(d.redeliveries, 0)::text AS redeliveries,
    coalesce(r.dropped, 0)::text AS dropped
  FROM (
    SELECT endpoint AS topic, client AS "group", sum(messages) AS messages, sum(redeliveries) AS redeliveries
    FROM ${rollUpRows('delivery', 'day', 'messages, redeliveries, endpoint, client, service')}
    WHERE $3::text IS NULL OR service = $3 GROUP BY 1, 2
  ) d
  FULL JOIN (
    SELECT substr(endpoint, 9) AS topic, client AS "group", sum(requests) AS dropped
    FROM ${rollUpRows('request', 'day', 'outcome, requests, endpoint, client, service')}
    WHERE outcome = 'replayed' AND endpoint LIKE 'CONSUME %' AND ($3::text IS NULL OR service = $3) GROUP BY 1, 2
  ) r ON r.topic = d.topic AND r."group" = d."group"
  WHERE $4::text IS NULL AND $5::text IS NULL
  ORDER BY coalesce(d.redeliveries, 0) DESC, coalesce(r.dropped, 0) DESC, 1, 2 LIMIT ${ROWS_MAX}`

/** M8 by topic and consumer group, the most redelivered first. */
export function readDeliveriesByConsumer(
  db: Db,
  { from, to }: Pick<TelemetryWindow, 'from' | 'to'>,
): Promise<ConsumerDeliveries[]> {
  return readRows(db.pool, rowSchema, SQL, windowParameters(toMinutes({ from, to })))
}

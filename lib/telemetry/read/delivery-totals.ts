import { z } from 'zod'
import type { Db } from '@/lib/db'
import { rollUpRows } from '../rollup/roll-up-rows'
import { type TelemetryWindow, windowParameters } from '../window'
import { bigintColumn, readRows } from './rows'

const rowSchema = z.object({ messages: bigintColumn, redeliveries: bigintColumn })

/** `endpoint` of the window is the destination, `client` the consumer. */
const SQL = `
  SELECT coalesce(sum(messages), 0)::text AS messages, coalesce(sum(redeliveries), 0)::text AS redeliveries
  FROM ${rollUpRows('delivery', 'day', 'messages, redeliveries, service, endpoint, client')}
  WHERE ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)`

export async function readDeliveryTotals(
  db: Db,
  window: TelemetryWindow,
): Promise<z.infer<typeof rowSchema>> {
  const [row] = await readRows(db.pool, rowSchema, SQL, windowParameters(window))
  return row ?? { messages: 0n, redeliveries: 0n }
}

import type pg from 'pg'
import { textOfMicros } from '../micros'
import { INSERT_DELIVERIES, LOCK_MESSAGES, REFLAG_DELIVERIES } from '../sql/deliveries'
import { queryPrepared } from './prepared'
import type { FactRow } from './rows'

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

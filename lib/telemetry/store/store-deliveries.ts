import type pg from 'pg'
import { INSERT_DELIVERIES, LOCK_MESSAGES, REFLAG_DELIVERIES } from '../sql/deliveries'
import { queryPrepared } from './prepared'
import { type Rendered, resourceNames } from './rows'

/** Processings of messages (M8), with their flags: after the keys, inside the same transaction. */
export async function storeDeliveries(client: pg.PoolClient, rows: readonly Rendered[]): Promise<void> {
  const deliveries = rows.flatMap(({ delivery, span, start }) => {
    if (delivery === null) return []
    const { service, version } = resourceNames(span.resource)
    return [{ ...delivery, time: start, traceId: span.traceId, spanId: span.spanId, service, version }]
  })
  if (deliveries.length === 0) return
  const json = JSON.stringify(deliveries)
  for (const statement of [LOCK_MESSAGES, INSERT_DELIVERIES, REFLAG_DELIVERIES])
    await queryPrepared(client, statement, [json])
}

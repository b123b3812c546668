import type { PoolClient } from 'pg'
import type { OrderEvent } from './events'

export const articles = ['tea-100g', 'coffee-250g', 'cocoa-200g', 'honey-500g'] as const

/** One row a message: were it applied twice, there would be two. */
export async function moveStock(
  tx: Pick<PoolClient, 'query'>,
  messageId: string,
  isReturn: boolean,
  { reference, sku, quantity }: OrderEvent,
): Promise<void> {
  if (!(articles as readonly string[]).includes(sku)) throw new Error(`there is no article ${sku}`)
  await tx.query(
    'INSERT INTO stock_movement (message_id, reference, sku, quantity) VALUES ($1, $2, $3, $4)',
    [messageId, reference, sku, isReturn ? quantity : -quantity],
  )
}

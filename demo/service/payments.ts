import type { PoolClient } from 'pg'
import { z } from 'zod'
import type { Goods } from './messaging/events'

/** A payment as the service keeps it. Its id follows from its charge, so a recovered response names it too. */
export interface Payment {
  readonly id: string
  readonly reference: string
  readonly customer: string
  readonly amountMinor: bigint
  readonly currency: string
  readonly status: 'succeeded' | 'requires_capture'
  readonly chargeId: string
  readonly paymentIntentId: string
}

export function paymentIdOf(chargeId: string): string {
  return `pay_${chargeId.slice('ch_'.length)}`
}

/** What callers see. */
export function presentPayment(payment: Payment) {
  return {
    id: payment.id,
    reference: payment.reference,
    charge: payment.chargeId,
    paymentIntent: payment.paymentIntentId,
    amountMinor: payment.amountMinor.toString(),
    currency: payment.currency,
    status: payment.status,
  }
}

type Queryable = Pick<PoolClient, 'query'>

/** False = it is there. */
export async function insertPayment(tx: Queryable, payment: Payment): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO payment (id, reference, customer, amount_minor, currency, status, charge_id, payment_intent_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
     ON CONFLICT (id) DO NOTHING`,
    [
      payment.id,
      payment.reference,
      payment.customer,
      payment.amountMinor,
      payment.currency,
      payment.status,
      payment.chargeId,
      payment.paymentIntentId,
    ],
  )
  return rowCount === 1
}

/** False = it was captured before. */
export async function markCaptured(tx: Queryable, id: string): Promise<boolean> {
  const sql = `UPDATE payment SET status = 'succeeded' WHERE id = $1 AND status = 'requires_capture'`
  const { rowCount } = await tx.query(sql, [id])
  return rowCount === 1
}

const row = z.object({
  id: z.string(),
  reference: z.string(),
  customer: z.string(),
  amount_minor: z.string().transform(BigInt),
  currency: z.string(),
  status: z.enum(['succeeded', 'requires_capture']),
  charge_id: z.string(),
  payment_intent_id: z.string(),
})

export async function findPayment(db: Queryable, id: string): Promise<Payment | undefined> {
  const { rows } = await db.query('SELECT * FROM payment WHERE id = $1', [id])
  if (rows[0] === undefined) return undefined
  const found = row.parse(rows[0])
  return {
    id: found.id,
    reference: found.reference,
    customer: found.customer,
    amountMinor: found.amount_minor,
    currency: found.currency,
    status: found.status,
    chargeId: found.charge_id,
    paymentIntentId: found.payment_intent_id,
  }
}

export async function insertOrderLine(tx: Queryable, paymentId: string, goods: Goods): Promise<void> {
  await tx.query('INSERT INTO order_line (payment_id, sku, quantity) VALUES ($1, $2, $3)', [
    paymentId,
    goods.sku,
    goods.quantity,
  ])
}

/** Most payments are for nothing that is shipped. */
export async function findOrderLine(db: Queryable, paymentId: string): Promise<Goods | undefined> {
  const { rows } = await db.query<Goods>('SELECT sku, quantity FROM order_line WHERE payment_id = $1', [
    paymentId,
  ])
  return rows[0]
}

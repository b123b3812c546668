import { z } from 'zod'

/** What has to be shipped. */
export const goods = z.strictObject({ sku: z.string().min(1).max(40), quantity: z.int().min(1).max(99) })
export type Goods = z.infer<typeof goods>

/** `order.paid` and `order.refunded`: of one order one after the other. */
export const orderEvent = z.strictObject({ reference: z.string(), ...goods.shape })
export type OrderEvent = z.infer<typeof orderEvent>

/** `receipt.due` */
export const receiptEvent = z.strictObject({
  reference: z.string(),
  email: z.string(),
  amountMinor: z.string(),
  currency: z.string(),
})
export type ReceiptEvent = z.infer<typeof receiptEvent>

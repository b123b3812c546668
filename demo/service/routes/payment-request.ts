import { z } from 'zod'
import { problem } from '../answers'
import { goods } from '../messaging/events'
import type { PaymentContext } from '../service'

const amountMinor = z
  .string()
  .regex(/^[1-9]\d{0,7}$/)
  .transform(BigInt)

const paymentRequest = z.strictObject({
  reference: z.string().min(1).max(100),
  customer: z.string().min(1).max(100),
  amountMinor,
  currency: z.string().regex(/^[A-Z]{3}$/),
  captureMethod: z.enum(['automatic', 'manual']).default('automatic'),
  /** What has to be shipped, and who wants a receipt: both are told by messages. */
  goods: goods.optional(),
  email: z.email().max(100).optional(),
})

export type PaymentRequest = z.output<typeof paymentRequest>

export const refundRequest = z.strictObject({ amountMinor: amountMinor.optional() })

/** The body, or the answer that refuses it. */
export async function parseBody<S extends z.ZodType>(
  schema: S,
  request: Request,
): Promise<z.output<S> | Response> {
  // What is no JSON is refused by the schema.
  const body: unknown = await request.json().catch(() => undefined)
  const parsed = schema.safeParse(body)
  return parsed.success ? parsed.data : problem(400, 'Invalid request', z.prettifyError(parsed.error))
}

export function parsePaymentRequest(request: Request): Promise<PaymentRequest | Response> {
  return parseBody(paymentRequest, request)
}

/** By these the provider's objects are traced back to the operation: the contract that Idemscope reads. */
export function metadataOf(ctx: PaymentContext, step: string, reference: string): Record<string, string> {
  // Every route of the service requires a key.
  if (ctx.key === null) throw new Error('a payment needs an idempotency key')
  return { idempotency_scope: ctx.scope, idempotency_key: ctx.key, idempotency_step: step, reference }
}

import { z } from 'zod'

/** The version that the parser below was written against; stripe 23.1.0 pins the same. */
const API_VERSION = '2026-10-28.endive'

const name = z.string().min(1).max(40)

export const stripeConfigSchema = z.strictObject({
  mode: z.enum(['live', 'test']).default('live'),
  apiVersion: z.literal(API_VERSION).default(API_VERSION),
  /** Only the demo may set it: elsewhere it is api.stripe.com. */
  baseUrl: z.url().optional(),
  /** Where the callers keep their idempotency facts in an object's metadata. */
  metadata: z
    .strictObject({
      scope: name.default('idempotency_scope'),
      key: name.default('idempotency_key'),
      step: name.default('idempotency_step'),
      reference: name.default('reference'),
      action: name.default('idemscope_action'),
    })
    .prefault({}),
  /** What the service calls these effects in its telemetry (`idempotency.effect.name`). */
  effectNames: z
    .strictObject({ charge: name.default('stripe.charge'), refund: name.default('stripe.refund') })
    .prefault({}),
  /** What a restricted read key may not see is left out: their classes are then not found. */
  fees: z.boolean().default(true),
  disputes: z.boolean().default(true),
  /** Checkout sessions and invoices: what a charge is known by where neither it nor its payment intent says whose it is. */
  payments: z.boolean().default(true),
  /** How long Stripe keeps an idempotency key: 24 hours at least. Left out = IDEMSCOPE_PROVIDER_WINDOW_MS. */
  idempotencyWindowMs: z.int().min(0).optional(),
  timeoutMs: z.int().min(500).max(80_000).default(10_000),
  attemptsMax: z.int().min(1).max(10).default(4),
  /** Below Stripe's limits, which the account's own traffic shares. */
  requestsPerSecond: z.int().min(1).max(100).default(25),
})
export type StripeConfig = z.infer<typeof stripeConfigSchema>

export const stripeSecretSchema = z.strictObject({
  readKey: z.string().min(8),
  /** Left out = corrections at the provider cannot be made from here. */
  writeKey: z.string().min(8).optional(),
})
export type StripeSecret = z.infer<typeof stripeSecretSchema>

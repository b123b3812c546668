import { z } from 'zod'

const responseTemplate = z.object({
  status: z.int().min(100).max(599),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown(),
})

export const nativeConfigSchema = z.strictObject({
  schema: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a plain schema name in lower case')
    .default('public'),
  statementTimeoutMs: z.int().min(100).max(60_000).default(5_000),
  poolMax: z.int().min(1).max(10).default(3),
  /** Records committed this much later than they were stamped are still found. */
  overlapMs: z.int().min(0).default(30_000),
  /** The service derives the provider's key from (scope, key, step), as effect() does. */
  providerKeyed: z.boolean().default(true),
  /** Where a stored JSON response names the business reference; null = nowhere. */
  referenceField: z.string().min(1).nullable().default('reference'),
  /** Where a stored JSON response names what was made at the provider. */
  idFields: z.array(z.string().min(1)).max(10).default(['id', 'charge', 'paymentIntent', 'refund']),
  responses: z.record(z.string(), responseTemplate).default({}),
})
export type NativeConfig = z.infer<typeof nativeConfigSchema>

export const postgresSecretSchema = z.strictObject({ url: z.url({ protocol: /^postgres(ql)?$/ }) })

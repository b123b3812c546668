import { z } from 'zod'
import { nativeConfigSchema, postgresSecretSchema } from '../native/config'
import { redisSecretSchema } from '../redis/config'

export const hybridConfigSchema = nativeConfigSchema.extend({
  /** What the names of the cache's keys begin with, as the service's `createHybridStore` has it. */
  prefix: z.string().max(200).default('idem-cache:'),
  /** A cache that takes longer cannot be asked. */
  cacheTimeoutMs: z.int().min(100).max(60_000).default(2_000),
})
export type HybridConfig = z.infer<typeof hybridConfigSchema>

export const hybridSecretSchema = postgresSecretSchema.extend({
  /** Of the Redis that keeps finished keys. */
  cacheUrl: redisSecretSchema.shape.url,
})
export type HybridSecret = z.infer<typeof hybridSecretSchema>

import { z } from 'zod'
import { duration } from './units'

const tiers = z
  .record(
    z.string().regex(/^[a-z][a-z0-9_]{0,30}$/, 'must be a lower-case name'),
    duration(1_000, 3_650 * 86_400_000),
  )
  .default({ default: 86_400_000 })
const redisUrl = z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' })
const operationTimeout = duration(1).optional()

const postgres = {
  url: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }),
  schema: z.string().min(1).default('public'),
  connections: z.int().min(1).max(500).default(10),
  /** Brings the tables to this version at start; false where the role may not. */
  migrate: z.boolean().default(true),
  prepare: z.boolean().default(true),
  operationTimeout,
  tiers,
}

/** Where keys live. */
export const storeSchema = z.discriminatedUnion(
  'type',
  [
    z.strictObject({ type: z.literal('postgres'), ...postgres }),
    z.strictObject({
      type: z.literal('hybrid'),
      ...postgres,
      cache: redisUrl,
      ask: z.enum(['retries', 'always']).default('retries'),
    }),
    z.strictObject({
      type: z.literal('redis'),
      url: redisUrl,
      operationTimeout,
      assumeDurable: z.boolean().default(false),
      tiers,
    }),
    z.strictObject({
      type: z.literal('dynamodb'),
      table: z.string().min(3),
      region: z.string().min(1),
      endpoint: z.url().optional(),
      /** Makes the table when it is absent. */
      create: z.boolean().default(false),
      largeResponses: z.boolean().default(false),
      assumeDurable: z.boolean().default(false),
      operationTimeout,
      tiers,
    }),
  ],
  'must have a type: postgres, hybrid, redis or dynamodb',
)

export type StoreConfig = z.output<typeof storeSchema>

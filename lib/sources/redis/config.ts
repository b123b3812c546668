import { z } from 'zod'

const HOUR_MS = 3_600_000
const field = z.string().min(1).max(100)
const words = z.array(z.string().min(1)).min(1)

/** Where a mapped value says what, and in which words. The defaults are those of the guides' `SET NX` recipe. */
const mappingSchema = z.strictObject({
  /** One JSON text, or a hash with a field for each. */
  format: z.enum(['json', 'hash']).default('json'),
  status: field.default('status'),
  inProgress: words.default(['processing', 'in_progress', 'pending', 'started']),
  completed: words.default(['completed', 'complete', 'done', 'succeeded']),
  failed: z.array(z.string().min(1)).default(['failed']),
  /** Until when its holder has it: ms or s since 1970, or an ISO time. */
  leaseUntil: field.optional(),
  statusCode: field.default('statusCode'),
  headers: field.default('headers'),
  body: field.default('body'),
  fingerprint: field.default('fingerprint'),
  /** Whether the body is a value of the JSON or a text in it. A hash holds texts only. */
  bodyAs: z.enum(['value', 'text']).default('value'),
  /** The service answers a retry with what is stored: only then can a key be completed from here. */
  replays: z.boolean().default(true),
})

/** Attribute names of Powertools, where they were changed. */
const attributesSchema = z.strictObject({
  status: field.default('status'),
  expiry: field.default('expiration'),
  inProgressExpiry: field.default('in_progress_expiration'),
  data: field.default('data'),
  validation: field.default('validation'),
})

const responseTemplate = z.object({
  status: z.int().min(100).max(599),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.unknown(),
})

export const LIBRARIES = ['powertools', 'node-idempotency', 'express-idempotency', 'mapped'] as const
export type Library = (typeof LIBRARIES)[number]

/** How each library writes, unless its options say otherwise. */
const DEFAULTS: Record<Library, { pattern: string; ttlMs: number }> = {
  powertools: { pattern: '{caller}#{key}', ttlMs: HOUR_MS },
  'node-idempotency': { pattern: 'node-idempotency:{method}:{route}:{key}', ttlMs: 24 * HOUR_MS },
  'express-idempotency': { pattern: '{key}', ttlMs: 24 * HOUR_MS },
  mapped: { pattern: 'idempotency:{key}', ttlMs: 24 * HOUR_MS },
}

/** How fast a Redis is walked through, whoever wrote its keys. */
export const paceShape = {
  commandTimeoutMs: z.int().min(100).max(60_000).default(5_000),
  /** Keys that one SCAN looks at. Others wait while it does: 155 µs for 100 where it was measured. */
  scanCount: z.int().min(10).max(1_000).default(200),
  /** After a call of a walk this many times its duration is left to others. */
  pauseFactor: z.int().min(0).max(100).default(15),
  /** Without changes being told, the store is walked again after so long; 0 = by each reading. */
  walkEveryMs: z.int().min(0).default(300_000),
}

export const redisConfigSchema = z
  .strictObject({
    library: z.enum(LIBRARIES).default('mapped'),
    /** How its keys are made: `{caller}`, `{method}`, `{route}`, and at the end `{key}`. The text before the first is their prefix. */
    pattern: z
      .string()
      .max(500)
      .regex(
        /^[^{}]*(\{(caller|method|route)\}[^{}]+)*\{key\}$/,
        'ends in {key}, with text between its parts',
      )
      .optional(),
    /** Of keys that do not say it. */
    caller: z
      .string()
      .regex(/^[^/]*$/, 'has no slash')
      .default(''),
    endpoint: z
      .string()
      .regex(/^[A-Z*]+ \S+$/, 'METHOD /route')
      .default('* /'),
    /** The time to live that the service gives a key: the time of its last write follows from it. */
    ttlMs: z.int().min(1_000).optional(),
    /**
     * So long after a key was taken no request of the service is running any more, such as the timeout of its server. It
     * stands in for the lease that the library does not keep.
     */
    requestMs: z.int().min(1_000).optional(),
    attributes: attributesSchema.prefault({}),
    /** Powertools: what the function returns is the body of a response, or `{ statusCode, headers, body }`. */
    dataAs: z.enum(['value', 'http']).default('value'),
    mapping: mappingSchema.prefault({}),
    /** The service sends the provider an idempotency key that follows from the key. */
    providerKeyed: z.boolean().default(false),
    referenceField: z.string().min(1).nullable().default('reference'),
    idFields: z.array(z.string().min(1)).max(10).default(['id', 'charge', 'paymentIntent', 'refund']),
    responses: z.record(z.string(), responseTemplate).default({}),
    ...paceShape,
    /** So long a reading waits for a walk that is under way. */
    walkCallMs: z.int().min(10).max(60_000).default(5_000),
  })
  .superRefine((config, ctx) => {
    if (config.library === 'powertools' && config.requestMs !== undefined)
      ctx.addIssue({
        code: 'custom',
        path: ['requestMs'],
        message: 'Powertools writes its own in_progress_expiration',
      })
  })
  .transform(({ pattern, ttlMs, ...config }) => ({
    ...config,
    pattern: pattern ?? DEFAULTS[config.library].pattern,
    ttlMs: ttlMs ?? DEFAULTS[config.library].ttlMs,
  }))
export type RedisConfig = z.infer<typeof redisConfigSchema>

const url = z.url({ protocol: /^rediss?$/, error: 'is no redis:// or rediss:// URL' })

export const redisSecretSchema = z.strictObject({
  url,
  /** A replica, which the walks go through; what is acted on is read and written at `url`. */
  replicaUrl: url.optional(),
})
export type RedisSecret = z.infer<typeof redisSecretSchema>

import { z } from 'zod'
import { type MappedConfig, mappedConfigSchema } from '../mapped/config'

const identifier = z.string().min(1).max(63)

/** rocket-rides-atomic: what can differ from one service to the next. */
export const brandurConfigSchema = z.strictObject({
  schema: identifier.default('public'),
  table: identifier.default('idempotency_keys'),
  /** IDEMPOTENCY_KEY_LOCK_TIMEOUT of the library. */
  lockMs: z.int().min(1_000).default(90_000),
  /** IDEMPOTENCY_KEY_REAP_TIMEOUT: from its creation. */
  reapMs: z
    .int()
    .min(60_000)
    .default(72 * 3_600_000),
  collect: z.boolean().default(false),
  providerKeyed: z.boolean().default(false),
  referenceField: z.string().min(1).nullable().default('reference'),
  responses: mappedConfigSchema.shape.responses,
  statementTimeoutMs: mappedConfigSchema.shape.statementTimeoutMs,
  poolMax: mappedConfigSchema.shape.poolMax,
  overlapMs: mappedConfigSchema.shape.overlapMs,
})
export type BrandurConfig = z.infer<typeof brandurConfigSchema>

/** A key is held while `locked_at` is set, and done at the recovery point `finished`. */
export function brandurMapping(config: BrandurConfig): MappedConfig {
  const { schema, table, lockMs, reapMs, ...shared } = config
  const finish = { recovery_point: 'finished', locked_at: null }
  return mappedConfigSchema.parse({
    ...shared,
    relation: { schema, name: table },
    columns: {
      key: 'idempotency_key',
      createdAt: 'created_at',
      holderSince: 'last_run_at',
      step: 'recovery_point',
      status: 'response_code',
      body: 'response_body',
    },
    scope: {
      caller: { column: 'user_id' },
      method: { column: 'request_method' },
      route: { column: 'request_path' },
    },
    state: {
      kind: 'markers',
      finished: { column: 'recovery_point', values: ['finished'] },
      held: 'locked_at',
    },
    lease: { since: 'locked_at', lastsMs: lockMs },
    expiry: { afterMs: reapMs },
    order: 'id',
    release: { set: { locked_at: null } },
    complete: { set: finish },
    fail: { set: finish },
    // Each phase of the library takes the row by its lock, but compares no token: a holder that comes back writes.
    zombieSafe: false,
  })
}

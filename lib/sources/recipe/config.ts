import { z } from 'zod'
import { type MappedConfig, mappedConfigSchema } from '../mapped/config'

const identifier = z.string().min(1).max(63)

/** The guide recipe's `idempotency_requests`: finished responses only, no processing state. */
export const recipeConfigSchema = z.strictObject({
  schema: identifier.default('public'),
  table: identifier.default('idempotency_requests'),
  /** The table does not say which route a key belongs to: the one that uses it. */
  endpoint: z
    .string()
    .regex(/^[A-Z*]+ \S+$/, 'METHOD /route')
    .default('* /'),
  collect: z.boolean().default(false),
  referenceField: z.string().min(1).nullable().default('reference'),
  statementTimeoutMs: mappedConfigSchema.shape.statementTimeoutMs,
  poolMax: mappedConfigSchema.shape.poolMax,
  overlapMs: mappedConfigSchema.shape.overlapMs,
})
export type RecipeConfig = z.infer<typeof recipeConfigSchema>

export function recipeMapping(config: RecipeConfig): MappedConfig {
  const { schema, table, endpoint, ...shared } = config
  const [method = '*', route = '/'] = endpoint.split(' ')
  return mappedConfigSchema.parse({
    ...shared,
    relation: { schema, name: table },
    columns: {
      key: 'idempotency_key',
      createdAt: 'created_at',
      fingerprint: 'request_hash',
      status: 'response_status',
      body: 'response_body',
    },
    scope: { caller: { column: 'user_id' }, method: { literal: method }, route: { literal: route } },
    state: { kind: 'finished' },
    expiry: { column: 'expires_at' },
  })
}

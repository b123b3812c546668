import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { adapterNameSchema, openAdapter, parseAdapterInput } from './adapters'
import { brandurConfigSchema, brandurMapping } from './brandur/config'
import { SourceUnavailableError, type StoreCapabilities } from './contracts'
import { type DetectedLayout, detectLayouts } from './layouts'
import { type MappedConfig, mappedConfigSchema } from './mapped/config'
import { roleSql } from './mapped/role-sql'
import { postgresSecretSchema } from './native/config'
import { recipeConfigSchema, recipeMapping } from './recipe/config'

const ROWS_SHOWN = 20

const inputSchema = z.object({ adapter: adapterNameSchema, config: z.unknown(), secret: z.unknown() })

export type PreviewRow = {
  scope: string
  key: string
  state: string
  createdAt: string
  leaseUntil: string | null
  expiresAt: string | null
  status: number | null
}

export type SourcePreview = {
  capabilities: StoreCapabilities
  storeNow: string
  rows: PreviewRow[]
  moreLive: boolean
}

type Who = { actor: Actor }

/** Which idempotency tables a database has. Reads its catalogue only. Throws `unprocessable` when it cannot be read. */
export async function detectSource(ctx: Who, secret: unknown): Promise<DetectedLayout[]> {
  authorise(ctx, 'source.manage')
  return detectLayouts(postgresSecretSchema.parse(secret)).catch(refuse)
}

/** Nothing is connected yet, so this is no outage: whoever typed the address is told what the server said. */
function refuse(error: unknown): never {
  if (!(error instanceof SourceUnavailableError)) throw error
  throw new AppError('unprocessable', `${error.message}.`, { cause: error })
}

/**
 * What a mapping makes of real rows, before it is saved: keys, states and times, never a body or a header. The sessions
 * are read-only, with a timeout.
 */
export async function previewSource(
  ctx: Who & Pick<SystemContext, 'log'>,
  raw: z.input<typeof inputSchema>,
  rules: { demo: boolean } = { demo: false },
): Promise<SourcePreview> {
  authorise(ctx, 'source.manage')
  const input = inputSchema.parse(raw)
  const { kind, config, secret } = parseAdapterInput(input.adapter, input.config, input.secret, rules)
  if (kind !== 'intent') throw new AppError('invalid', 'Only idempotency stores have a preview.')
  const source = openAdapter(input.adapter, config, secret, { ...rules, readOnly: true })
  if (source.kind !== 'intent') throw new AppError('invalid', 'Only idempotency stores have a preview.')
  try {
    const { now, leases, truncated } = await source.readLeases({ limit: ROWS_SHOWN })
    const { items } = await source.readRecords(null, ROWS_SHOWN)
    return {
      capabilities: { ...source.capabilities },
      storeNow: now.toISOString(),
      moreLive: truncated,
      rows: [
        ...leases.map((lease) => ({
          scope: lease.scope,
          key: lease.key,
          state: lease.state,
          createdAt: lease.createdAt.toISOString(),
          leaseUntil: lease.leaseless === true ? null : lease.leaseUntil.toISOString(),
          expiresAt: null,
          status: null,
        })),
        ...items.map((record) => ({
          scope: record.scope,
          key: record.key,
          state: record.state,
          createdAt: record.createdAt.toISOString(),
          leaseUntil: null,
          expiresAt: record.expiresAt.toISOString(),
          status: record.status,
        })),
      ],
    }
  } catch (error) {
    return refuse(error)
  } finally {
    await source.close()
  }
}

const roleSchema = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a plain role name in lower case')

/** The SQL that an owner runs to give the console's role what this source needs, and no more. Of foreign layouts. */
export function sourceRoleSql(adapter: string, config: unknown, role: string): string {
  return roleSql(mappingOf(adapter, config), roleSchema.parse(role))
}

function mappingOf(adapter: string, config: unknown): MappedConfig {
  switch (adapter) {
    case 'rocket-rides-atomic':
      return brandurMapping(brandurConfigSchema.parse(config))
    case 'guide-recipe':
      return recipeMapping(recipeConfigSchema.parse(config))
    case 'mapped-postgres':
      return mappedConfigSchema.parse(config)
    default:
      throw new AppError('invalid', `${adapter} brings its own SQL: grantsForConsole({ role }) of the SDK.`)
  }
}

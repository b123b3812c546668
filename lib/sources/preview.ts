import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { adapterNameSchema, grantsOf, openAdapter, parseAdapterInput } from './adapters'
import {
  type AnySource,
  type DetectedLayout,
  type IntentSource,
  type MessageCapabilities,
  type MessageSource,
  SourceUnavailableError,
  type StoreCapabilities,
} from './contracts'
import { detectIn, engineNameSchema } from './engines'

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

export type PreviewMessage = {
  topic: string
  id: string | null
  type: string | null
  group: string | null
  state: string
  publishedAt: string | null
  attempts: number
}

export type PreviewTopic = {
  topic: string
  unsent: number | null
  dead: number | null
  oldestUnsentAt: string | null
}

export type SourcePreview = {
  capabilities: StoreCapabilities | MessageCapabilities
  storeNow: string
  /** Keys of a store. */
  rows: PreviewRow[]
  moreLive: boolean
  /** Of a source of messages: what is dead, and how much is unsent. null = it is a store. */
  messages: { dead: PreviewMessage[]; topics: PreviewTopic[] } | null
}

type Who = { actor: Actor }

const addressSchema = z.object({ engine: engineNameSchema.default('postgresql'), secret: z.unknown() })

/** Which idempotency keys and messages are kept at an address. Reads only. Throws `unprocessable` when it cannot be read. */
export async function detectSource(ctx: Who, raw: z.input<typeof addressSchema>): Promise<DetectedLayout[]> {
  authorise(ctx, 'source.manage')
  const { engine, secret } = addressSchema.parse(raw)
  return detectIn(engine, secret).catch(refuse)
}

/** Nothing is connected yet, so this is no outage: whoever typed the address is told what the server said. */
function refuse(error: unknown): never {
  if (!(error instanceof SourceUnavailableError)) throw error
  throw new AppError('unprocessable', `${error.message}.`, { cause: error })
}

/**
 * What a mapping makes of real rows, before it is saved: keys or messages, states and times, never a body or a header. The sessions
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
  if (kind === 'ledger' || kind === 'provider') throw new AppError('invalid', NO_PREVIEW)
  const source = openAdapter(input.adapter, config, secret, { ...rules, readOnly: true })
  try {
    return await previewOf(source)
  } catch (error) {
    return refuse(error)
  } finally {
    await source.close()
  }
}

const NO_PREVIEW = 'Only idempotency stores and sources of messages have a preview.'

export function previewOf(source: AnySource): Promise<SourcePreview> {
  if (source.kind === 'intent') return lookAtKeys(source)
  if (source.kind === 'outbox' || source.kind === 'dead_letters') return lookAtMessages(source)
  throw new AppError('invalid', NO_PREVIEW)
}

async function lookAtKeys(source: IntentSource): Promise<SourcePreview> {
  const { now, leases, truncated } = await source.readLeases({ limit: ROWS_SHOWN })
  const { items } = await source.readRecords(null, ROWS_SHOWN)
  return {
    capabilities: { ...source.capabilities },
    storeNow: now.toISOString(),
    moreLive: truncated,
    messages: null,
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
}

async function lookAtMessages(source: MessageSource): Promise<SourcePreview> {
  const { now, topics } = await source.sample()
  const { items, cursor } = await source.readDead(null, ROWS_SHOWN)
  return {
    capabilities: { ...source.capabilities },
    storeNow: now.toISOString(),
    rows: [],
    moreLive: cursor !== null,
    messages: {
      dead: items.map(({ topic, id, type, group, state, publishedAt, attempts }) => ({
        ...{ topic, id, type, group, state, attempts },
        publishedAt: publishedAt?.toISOString() ?? null,
      })),
      topics: topics.slice(0, ROWS_SHOWN).map(({ topic, unsent, dead, oldestUnsentAt }) => ({
        ...{ topic, unsent, dead },
        oldestUnsentAt: oldestUnsentAt?.toISOString() ?? null,
      })),
    },
  }
}

const roleSchema = z.string().regex(/^[a-z_][a-z0-9_]{0,62}$/, 'a plain role name in lower case')

/** What an owner runs to give the console's role what this source needs, and no more: SQL, or what its engine takes. */
export function sourceGrants(adapter: string, config: unknown, role: string): string {
  const grants = grantsOf(adapterNameSchema.parse(adapter), config, roleSchema.parse(role))
  if (grants === null) throw new AppError('invalid', `${adapter} brings no rights of its own.`)
  return grants
}

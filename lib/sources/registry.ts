import { createHash } from 'node:crypto'
import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { canonicalJson } from '@/lib/core/canonical-json'
import { AppError, invariant } from '@/lib/core/errors'
import { env } from '@/lib/env'
import type { Source } from '@/prisma/generated/client'
import { adapterNameSchema, openAdapter } from './adapters'
import {
  type AnySource,
  type IntentSource,
  type LedgerSource,
  type MessageSource,
  type ProviderSource,
  SOURCE_KINDS,
  type SourceKind,
} from './contracts'
import { openSecret } from './credentials'
import { type EndedReading, endedReadings } from './manage/end-reading'
import { noteError, observed } from './observe'

export type OpenSource<S extends AnySource = AnySource> = {
  id: string
  name: string
  system: string
  adapter: string
  source: S
}

type SourceContext = Pick<SystemContext, 'db' | 'clock' | 'log'>

/** Adapters of this process, kept while their row stays as it is. */
const opened = new Map<string, { fingerprint: string; source: AnySource }>()

/** Opens a source, whatever its kind. Nothing is connected before it is used. Throws `not_found`. */
export async function openSource(ctx: SourceContext, id: string): Promise<OpenSource> {
  const row = await ctx.db.prisma.source.findUnique({ where: { id } })
  if (row === null) throw new AppError('not_found', `There is no source ${id}.`)
  if (!row.enabled) throw new AppError('unprocessable', `${row.name} is switched off.`)
  return open(ctx, row)
}

export async function openIntentSource(ctx: SourceContext, id: string): Promise<OpenSource<IntentSource>> {
  const found = await openSource(ctx, id)
  return { ...found, source: expectKind(found, 'intent') }
}

export async function openMessageSource(ctx: SourceContext, id: string): Promise<OpenSource<MessageSource>> {
  const found = await openSource(ctx, id)
  const { source } = found
  if (source.kind !== 'outbox' && source.kind !== 'dead_letters')
    throw new AppError('invalid', `${found.name} has no messages.`)
  return { ...found, source }
}

export type SystemSources = {
  intents: OpenSource<IntentSource>[]
  ledgers: OpenSource<LedgerSource>[]
  providers: OpenSource<ProviderSource>[]
  /** Outboxes and dead letters. */
  messages: OpenSource<MessageSource>[]
  /** Switched off after they were read, or impossible to open: what only they hold is not known, and is not absent. */
  off: { id: string; name: string; kind: SourceKind; why: string }[]
  /** Readings that are no more, and until when they told of the system. */
  ended: EndedReading[]
}

/** Every source of a system that is switched on, and which are not. One that cannot be opened stops no other. */
export async function openSystem(ctx: SourceContext, system: string): Promise<SystemSources> {
  const rows = await ctx.db.prisma.source.findMany({
    where: { system, OR: [{ enabled: true }, { lastOkAt: { not: null } }] },
    orderBy: { id: 'asc' },
  })
  const sources: SystemSources = {
    intents: [],
    ledgers: [],
    providers: [],
    messages: [],
    off: [],
    ended: await endedReadings(ctx.db.prisma, system),
  }
  for (const row of rows) {
    const described = { id: row.id, name: row.name, kind: z.enum(SOURCE_KINDS).parse(row.kind) }
    if (!row.enabled) {
      sources.off.push({ ...described, why: 'is switched off' })
      continue
    }
    const found = await tryOpen(ctx, row)
    if (typeof found === 'string') {
      sources.off.push({ ...described, why: found })
      continue
    }
    if (found.source.kind === 'intent') sources.intents.push({ ...found, source: found.source })
    else if (found.source.kind === 'ledger') sources.ledgers.push({ ...found, source: found.source })
    else if (found.source.kind === 'provider') sources.providers.push({ ...found, source: found.source })
    else sources.messages.push({ ...found, source: found.source })
  }
  return sources
}

/** Why it cannot be opened, such as a configuration that this version does not take: that is noted in its row. */
async function tryOpen(ctx: SourceContext, row: Source): Promise<OpenSource | string> {
  try {
    return open(ctx, row)
  } catch (error) {
    // Without its key the console can open none of them.
    if (env().IDEMSCOPE_CREDENTIALS_KEY === undefined) throw error
    const why = `cannot be opened: ${error instanceof z.ZodError ? z.prettifyError(error) : String(error)}`
    ctx.log.warn({ err: error, source: row.id }, 'a source cannot be opened')
    await noteError(ctx, row.id, why)
    return why
  }
}

async function openSystems(ctx: SourceContext): Promise<SystemSources[]> {
  return Promise.all((await listSystems(ctx)).map((system) => openSystem(ctx, system)))
}

/** All intent sources that are switched on, of every system. */
export const openIntentSources = async (ctx: SourceContext): Promise<OpenSource<IntentSource>[]> =>
  (await openSystems(ctx)).flatMap(({ intents }) => intents)

/** The same of outboxes and dead letters. */
export const openMessageSources = async (ctx: SourceContext): Promise<OpenSource<MessageSource>[]> =>
  (await openSystems(ctx)).flatMap(({ messages }) => messages)

/** Names of the systems that have a source switched on. */
export async function listSystems(ctx: Pick<SystemContext, 'db'>): Promise<string[]> {
  const rows = await ctx.db.prisma.source.findMany({
    where: { enabled: true },
    distinct: ['system'],
    select: { system: true },
    orderBy: { system: 'asc' },
  })
  return rows.map((row) => row.system)
}

/** Ends every connection of this process to the sources. */
export async function closeSources(): Promise<void> {
  const all = [...opened.values()]
  opened.clear()
  await Promise.allSettled(all.map(({ source }) => source.close()))
}

function open(ctx: SourceContext, row: Source): OpenSource {
  const fingerprint = createHash('sha256')
    .update(canonicalJson([row.adapter, row.config]))
    .update(row.secret ?? new Uint8Array())
    .update(ctx.db.url)
    .digest('hex')
  const cached = opened.get(row.id)
  const described = { id: row.id, name: row.name, system: row.system, adapter: row.adapter }
  if (cached?.fingerprint === fingerprint) return { ...described, source: cached.source }
  if (cached !== undefined) {
    // Its configuration changed: what is under way on the old one may end.
    cached.source
      .close()
      .catch((error: unknown) => ctx.log.warn({ err: error, source: row.id }, 'closing a source failed'))
  }
  const { IDEMSCOPE_CREDENTIALS_KEY: key, IDEMSCOPE_DEMO: demo } = env()
  if (key === undefined)
    throw new AppError('invalid', 'IDEMSCOPE_CREDENTIALS_KEY is not set: sources cannot be opened.')
  invariant(row.secret !== null, `source ${row.id} has a secret`)
  const adapter = openAdapter(
    adapterNameSchema.parse(row.adapter),
    row.config,
    openSecret(key, row.id, row.secret),
    { demo, clock: ctx.clock },
  )
  const source = observed(ctx, row.id, adapter)
  opened.set(row.id, { fingerprint, source })
  return { ...described, source }
}

function expectKind<K extends SourceKind>(found: OpenSource, kind: K): AnySource & { kind: K } {
  if (found.source.kind !== kind) throw new AppError('invalid', `${found.name} is not of the kind ${kind}.`)
  return found.source as AnySource & { kind: K }
}

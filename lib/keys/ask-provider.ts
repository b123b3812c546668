import type { SystemContext } from '@/lib/context'
import type { LeaseRow, ProviderObject, ProviderSource } from '@/lib/sources/contracts'
import { type MirrorProviderObject, providerEvidenceForKey, tailGap } from '@/lib/sources/mirror/read'
import { type OpenSource, openSystem } from '@/lib/sources/registry'
import type { AnswerObject, ProviderAnswer } from './provider-answer'
import { listTail, type Tail } from './provider-tail'
import type { KeySettings } from './settings'

/** A key with more objects than this is broken beyond a verdict anyhow. */
const OBJECTS_READ_MAX = 20

/** A key as it is asked about. */
export type AskedKey = Pick<LeaseRow, 'scope' | 'key' | 'createdAt' | 'effects'>

/**
 * Asks the providers of one system about keys: what is staged, plus what they list beyond it right now, each object
 * read again by its id. The listing of the tail is shared by all keys that one asker is asked about. Never inside a
 * transaction. A provider that fails makes the answer `unreachable`: it never counts as none.
 */
export function createProviderAsker(ctx: SystemContext, system: string, settings: KeySettings) {
  const tails = new Map<string, Tail>()
  let opened: Promise<OpenSource<ProviderSource>[]> | undefined

  async function ask(key: AskedKey): Promise<ProviderAnswer> {
    const askedAt = ctx.clock.now().toISOString()
    try {
      opened ??= openSystem(ctx, system).then((sources) => sources.providers)
      const providers = await opened
      if (providers.length === 0) return { kind: 'no_provider' }
      return await answer(key, providers, askedAt)
    } catch (error) {
      opened = undefined
      const message = error instanceof Error ? error.message : String(error)
      ctx.log.warn({ err: error, system }, 'the provider could not be asked')
      return { kind: 'unreachable', askedAt, error: message.slice(0, 300) }
    }
  }

  async function answer(
    key: AskedKey,
    providers: readonly OpenSource<ProviderSource>[],
    askedAt: string,
  ): Promise<ProviderAnswer> {
    const staged = await providerEvidenceForKey(ctx.db, { system, scope: key.scope, key: key.key })
    const from = new Date(key.createdAt.getTime() - settings.skewMs)
    const to = new Date(ctx.clock.now().getTime() - settings.settleDelayMs)
    const objects = new Map<string, AnswerObject>()
    const unresolved: string[] = []
    for (const { id, source: provider } of providers) {
      const known = staged.objects.filter((object) => object.sourceId === id)
      const tail = await tailFor(id, provider, from)
      const ids = new Set([
        ...known.map((object) => object.id),
        ...tail.byKey(key.scope, key.key).map((object) => object.id),
        ...key.effects.flatMap(({ reference }) => reference ?? []),
      ])
      const again = await readAgain(id, provider, [...ids], known)
      for (const object of again.objects) objects.set(object.id, object)
      unresolved.push(...again.unresolved)
    }
    if (objects.size > 0) return { kind: 'found', askedAt, objects: inOrderOfMaking(objects.values()) }
    // An id of the service's own, or an object that cannot be read: whether the effect happened is not known by it.
    const [unknown] = unresolved
    if (unknown !== undefined) {
      return { kind: 'unreachable', askedAt, error: `${unknown} cannot be looked up or read at the provider` }
    }
    // Its calls may not show in a listing yet: too early for a negative read.
    const settled = to.getTime() > key.createdAt.getTime() + settings.skewMs
    if (!settled) {
      const settlesAt = new Date(key.createdAt.getTime() + settings.skewMs + settings.settleDelayMs)
      return { kind: 'not_settled', askedAt, settlesAt: settlesAt.toISOString() }
    }
    return { kind: 'none', askedAt, from: from.toISOString(), to: to.toISOString() }
  }

  /** The listing from where the staged one ends, until now; one listing serves every key that it covers. */
  async function tailFor(id: string, provider: ProviderSource, from: Date): Promise<Tail> {
    const until = new Date(ctx.clock.now().getTime() + settings.skewMs)
    const gap = await tailGap(ctx.db, id, { from, to: until })
    const start = gap?.from ?? until
    const known = tails.get(id)
    if (known !== undefined && known.from <= start) return known
    const tail = await listTail(provider, { from: start, to: until })
    tails.set(id, tail)
    return tail
  }

  return { ask }
}

/** What the ids lead to now. What cannot be looked up or read is not resolved, which is no absence. */
async function readAgain(
  source: string,
  provider: ProviderSource,
  ids: readonly string[],
  staged: readonly MirrorProviderObject[],
): Promise<{ objects: AnswerObject[]; unresolved: string[] }> {
  const objects: AnswerObject[] = []
  const unresolved: string[] = []
  for (const id of ids.slice(0, OBJECTS_READ_MAX)) {
    const resolved = await provider.resolve(id)
    if (resolved.kind === 'unknown_id') unresolved.push(id)
    if (resolved.kind !== 'found') continue
    for (const object of resolved.objects) {
      if (object.kind === 'unreadable') unresolved.push(object.id)
      if (object.kind !== 'charge' && object.kind !== 'refund') continue
      const step = object.step ?? staged.find((known) => known.id === object.id)?.step ?? null
      objects.push({ ...present(source, object), step })
    }
  }
  return { objects, unresolved }
}

const inOrderOfMaking = (objects: Iterable<AnswerObject>): AnswerObject[] =>
  [...objects].sort((a, b) =>
    a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1,
  )

function present(source: string, object: ProviderObject): AnswerObject {
  return {
    source,
    kind: object.kind,
    id: object.id,
    parent: object.kind === 'charge' ? object.paymentIntentId : object.chargeId,
    status: object.status,
    captured: object.kind === 'charge' ? object.captured : false,
    step: object.step,
    reference: object.reference,
    amount: { minor: object.amountMinor.toString(), currency: object.currency },
    createdAt: object.createdAt.toISOString(),
  }
}

import type { SystemContext } from '@/lib/context'
import { type MirrorProviderObject, providerEvidenceForKey, tailGap } from '@/lib/mirror/read/evidence'
import { hasUntagged } from '@/lib/mirror/read/untagged'
import type {
  LeaseRow,
  ProviderCharge,
  ProviderObject,
  ProviderPayment,
  ProviderSource,
} from '@/lib/sources/contracts'
import { type OpenSource, openSystem, type SystemSources } from '@/lib/sources/registry'
import type { KeySettings } from '../settings'
import { type EffectWindow, effectWindow } from './effect-window'
import type { LeaseReading } from './holder-life'
import { isProviderCall, possibleEffects } from './possible-effects'
import type { AnswerObject, Candidate, ProviderAnswer } from './provider-answer'
import { listTail, type Tail } from './provider-tail'

/** A key with more objects than this is broken beyond a verdict anyhow. */
const OBJECTS_READ_MAX = 20
/** As many as a person looks at. */
const CANDIDATES_NAMED_MAX = 20
/** A provider that failed this often in a row is not asked again by the same asker: each try can take as long as its timeouts. */
const FAILURES_MAX = 3

/** `from`: the earliest time from which on everything is in it, or is staged. */
type KeptTail = Tail & { from: Date; listedAt: Date }

/**
 * Asks the providers of one system about keys: what is staged, plus what they list beyond it right now, each object
 * read again by its id. The listing of the tail is shared by all keys that one asker is asked about: make an asker after
 * the leases were read, since a listing proves the absence only of what had ended before it. Never inside a
 * transaction. A provider that fails makes the answer `unreachable`: it never counts as none.
 */
export function createProviderAsker(ctx: SystemContext, system: string, settings: KeySettings) {
  const tails = new Map<string, Promise<KeptTail>>()
  let listings = 0
  let untagged: { from: Date; after: number; any: Promise<boolean> } | undefined
  let opened: Promise<SystemSources> | undefined
  let failures: string[] = []

  async function ask(reading: LeaseReading): Promise<ProviderAnswer> {
    const askedAt = ctx.clock.now().toISOString()
    if (failures.length >= FAILURES_MAX) return { kind: 'unreachable', askedAt, error: failures.at(-1) ?? '' }
    try {
      opened ??= openSystem(ctx, system)
      const { providers, off, ended } = await opened
      const silent = off.find(({ kind }) => kind === 'provider')
      if (silent !== undefined)
        return { kind: 'unreachable', askedAt, error: `${silent.name} is switched off and cannot be asked` }
      const window = effectWindow(reading, settings)
      const before = ended.find(({ kind, at }) => kind === 'provider' && window.made.from <= at)
      if (before !== undefined)
        return { kind: 'unreachable', askedAt, error: `${before.name} of that time can be asked no more` }
      if (providers.length === 0) return { kind: 'no_provider' }
      const answered = await answer(reading, window, providers, askedAt)
      failures = []
      return answered
    } catch (error) {
      opened = undefined
      const message = (error instanceof Error ? error.message : String(error)).slice(0, 300)
      ctx.log.warn({ err: error, system }, 'the provider could not be asked')
      failures.push(message)
      return { kind: 'unreachable', askedAt, error: message }
    }
  }

  async function answer(
    reading: LeaseReading,
    { made, settlesAt }: EffectWindow,
    providers: readonly OpenSource<ProviderSource>[],
    askedAt: string,
  ): Promise<ProviderAnswer> {
    const { lease } = reading
    const named = namedByStore(lease)
    // A listing of before it settled proves nothing now; until it has, none proves anything.
    const settledMs = reading.storeNow.getTime() - settlesAt.getTime()
    const tailAgeMaxMs = settledMs < 0 ? Number.POSITIVE_INFINITY : settledMs
    const objects = new Map<string, AnswerObject>()
    const open: Candidate[] = []
    const resolved = new Set<string>()
    const unresolved: string[] = []
    const listed: { source: string; provider: ProviderSource; tail: Tail }[] = []
    for (const { id, source: provider } of providers)
      listed.push({ source: id, provider, tail: await tailFor(id, provider, made.from, tailAgeMaxMs) })
    // Only now: a tail begins where the staged objects of its time end.
    const staged = await providerEvidenceForKey(ctx.db, { system, scope: lease.scope, key: lease.key })
    for (const { source, provider, tail } of listed) {
      const known = staged.objects.filter((object) => object.sourceId === source)
      const ids = new Set([
        ...known.map((object) => object.id),
        ...tail.byKey(lease.scope, lease.key).map((object) => object.id),
        ...named,
      ])
      const again = await readAgain(source, provider, [...ids], known)
      for (const object of again.objects) objects.set(object.id, object)
      open.push(...again.open)
      for (const each of again.resolved) resolved.add(each)
      unresolved.push(...again.unresolved)
    }
    const found = inOrderOfMaking(objects.values())
    if (found.some(({ status }) => status !== 'failed' && status !== 'canceled'))
      return { kind: 'found', askedAt, objects: found }
    // An id of the service's own, or an object that cannot be read: whether the effect happened is not known by it.
    const unknown = unresolved.find((each) => !resolved.has(each))
    if (unknown !== undefined) {
      return {
        kind: 'unreachable',
        askedAt,
        error: `${unknown} is named, and cannot be looked up or read at the provider`,
      }
    }
    // What is refused was an earlier call: of the last one the same has to be proved as where there is nothing.
    if (reading.storeNow < settlesAt) {
      return { kind: 'not_settled', askedAt, settlesAt: settlesAt.toISOString() }
    }
    const fresh = listed.map(({ source, tail }) => ({ source, objects: tail.objects }))
    const any = () => anyUntagged(made.from)
    const possible = [...open, ...(await possibleEffects(ctx.db, { system, lease }, made, fresh, any))]
    if (possible.length > 0) {
      const named = possible.slice(0, CANDIDATES_NAMED_MAX)
      return { kind: 'possible', askedAt, objects: named, count: possible.length }
    }
    return found.length > 0
      ? { kind: 'found', askedAt, objects: found }
      : { kind: 'none', askedAt, from: made.from.toISOString(), to: askedAt }
  }

  /**
   * Where all objects carry a key, one question answers it for all keys, the oldest first. Not longer than a listing: what a
   * later one does not show was staged since.
   */
  function anyUntagged(from: Date): Promise<boolean> {
    if (untagged === undefined || untagged.from > from || untagged.after !== listings)
      untagged = { from, after: listings, any: hasUntagged(ctx.db, system, from) }
    return untagged.any
  }

  /**
   * The listing from where the staged one is final, until now by the provider's clock; one listing serves every key that
   * it covers, and whoever asks meanwhile waits for it. What a call made may come into a listing as late as the call's end,
   * and then the settle delay.
   */
  function tailFor(id: string, provider: ProviderSource, from: Date, ageMaxMs: number): Promise<KeptTail> {
    const before = tails.get(id)
    const next = (async () => {
      const kept = await before?.catch(() => undefined)
      const listedAt = ctx.clock.now()
      if (kept !== undefined && kept.from <= from && listedAt.getTime() - kept.listedAt.getTime() <= ageMaxMs)
        return kept
      const until = new Date((await provider.now()).getTime() + settings.skewMs + 1_000)
      const lateMs = Math.max(0, settings.settleDelayMs + settings.callMs)
      const gap = await tailGap(ctx.db, id, { from, to: until })
      const start = Math.max(from.getTime(), (gap?.from ?? until).getTime() - lateMs)
      const tail = await listTail(provider, { from: new Date(start), to: until })
      listings += 1
      // What was made before its start, and from `from` on, is staged.
      return { ...tail, from, listedAt }
    })()
    tails.set(id, next)
    return next
  }

  return { ask }
}

const namedByStore = ({ effects }: LeaseRow): string[] =>
  effects.filter(isProviderCall).flatMap(({ reference }) => reference ?? [])

/** What the ids lead to now. What cannot be looked up or read, or is not there though it is named, is not resolved. */
async function readAgain(
  source: string,
  provider: ProviderSource,
  ids: readonly string[],
  staged: readonly MirrorProviderObject[],
): Promise<{ objects: AnswerObject[]; open: Candidate[]; resolved: string[]; unresolved: string[] }> {
  const objects: AnswerObject[] = []
  const open: Candidate[] = []
  const resolved: string[] = []
  const unresolved = ids.slice(OBJECTS_READ_MAX)
  for (const id of ids.slice(0, OBJECTS_READ_MAX)) {
    const there = await provider.resolve(id)
    if (there.kind !== 'found') {
      unresolved.push(id)
      continue
    }
    resolved.push(id)
    for (const object of there.objects) {
      if (object.kind === 'unreadable') unresolved.push(object.id)
      if (object.kind === 'payment' && object.status === 'pending') open.push(openPayment(source, object))
      if (object.kind !== 'charge' && object.kind !== 'refund') continue
      const step = object.step ?? staged.find((known) => known.id === object.id)?.step ?? null
      objects.push({ ...present(source, object), step })
    }
  }
  return { objects, open, resolved, unresolved }
}

const openPayment = (source: string, { id, status, amount, createdAt }: ProviderPayment): Candidate => ({
  source,
  kind: 'payment',
  id,
  status,
  amount: amount === null ? null : { minor: amount.minor.toString(), currency: amount.currency },
  createdAt: createdAt.toISOString(),
})

const inOrderOfMaking = (objects: Iterable<AnswerObject>): AnswerObject[] =>
  [...objects].sort((a, b) =>
    a.createdAt === b.createdAt ? (a.id < b.id ? -1 : 1) : a.createdAt < b.createdAt ? -1 : 1,
  )

/** A refund made by hand carries no key of its own: only the charge tells of it. */
const isUndone = ({ capturedMinor, refundedMinor, releasedMinor }: ProviderCharge): boolean =>
  capturedMinor > 0n ? refundedMinor >= capturedMinor : releasedMinor > 0n

function present(source: string, object: ProviderObject): AnswerObject {
  return {
    source,
    kind: object.kind,
    id: object.id,
    parent: object.kind === 'charge' ? object.paymentIntentId : object.chargeId,
    status: object.status,
    captured: object.kind === 'charge' ? object.captured : false,
    undone: object.kind === 'charge' && isUndone(object),
    step: object.step,
    reference: object.reference,
    amount: { minor: object.amountMinor.toString(), currency: object.currency },
    createdAt: object.createdAt.toISOString(),
  }
}

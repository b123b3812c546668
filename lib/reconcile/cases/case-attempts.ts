import type { SystemContext } from '@/lib/context'
import type { Aspect } from '@/lib/core/case-classes'
import { env } from '@/lib/env'
import { keyHash } from '@/lib/sources/key-hash'
import { type KeyedRequest, listKeyedRequests } from '@/lib/telemetry/read/requests/keyed-requests'
import { readTraceEffects, type TraceEffect } from '@/lib/telemetry/read/traces/trace-effects'
import type { CaseSides, SideLife } from './read-case-sides'

type AttemptEffect = { id: string; at: string; duplicate: boolean }

/** An attempt at the case's operation: a request that was seen, else what a store or the provider knows of one. */
export type CaseAttempt = { from: string; to: string; effects: AttemptEffect[] } & (
  | { kind: 'request'; request: KeyedRequest }
  | { kind: 'life'; life: SideLife }
  | { kind: 'provider' }
)

export type CaseAttempts = {
  from: string
  to: string
  /** Oldest first. */
  shown: CaseAttempt[]
  /** How many attempts there are besides those shown. */
  more: number
  leaseEnds: string[]
}

/** An operation has one key, or a few; each was tried a handful of times. */
const KEYS_MAX = 5
const REQUESTS_MAX = 40
const SHOWN_MAX = 8

/** The attempts of the case's keys: spans where they came, else what store and provider know. Null = nothing is known. */
export async function readCaseAttempts(
  ctx: SystemContext,
  sides: CaseSides,
  aspect: Aspect,
): Promise<CaseAttempts | null> {
  const secret = env().IDEMSCOPE_KEY_SECRET
  const named = [...sides.intent, ...sides.provider].flatMap(({ scope, key }) =>
    scope === null || key === null ? [] : [{ scope, key }],
  )
  const keys = [...new Map(named.map((each) => [`${each.scope} ${each.key}`, each])).values()]
  const requests =
    secret === undefined
      ? []
      : await Promise.all(
          keys
            .slice(0, KEYS_MAX)
            .map(({ scope, key }) =>
              listKeyedRequests(ctx.db, { scope, keyHash: keyHash(secret, key), limit: REQUESTS_MAX }),
            ),
        )
  const all = requests.flat()
  const effects = await readTraceEffects(ctx.db, [...new Set(all.map(({ traceId }) => traceId))])
  return attemptsOf(sides, all, effects, aspect)
}

/** Pure. */
export function attemptsOf(
  sides: CaseSides,
  requests: readonly KeyedRequest[],
  effects: readonly TraceEffect[],
  aspect: Aspect,
): CaseAttempts | null {
  const duplicates = new Set(aspect === 'uniqueness' ? duplicatesOf(sides) : [])
  const objects = new Set(sides.provider.map(({ id }) => id))
  const seen = new Set<string>()
  const effect = (id: string, at: string): AttemptEffect => ({ id, at, duplicate: duplicates.has(id) })
  const see = (id: string, at: string): AttemptEffect => {
    seen.add(id)
    return effect(id, at)
  }
  const spans = requests.map((request): CaseAttempt => {
    const own = effects.filter(
      ({ traceId, effectId }) => traceId === request.traceId && effectId !== null && objects.has(effectId),
    )
    return {
      kind: 'request',
      request,
      from: request.time.toISOString(),
      to: request.endTime.toISOString(),
      effects: own.map(({ effectId, endAt }) => see(effectId ?? '', endAt.toISOString())),
    }
  })
  const lives = sides.intent
    .filter((life) => !requests.some((each) => each.fence === life.fence && held(each.outcome)))
    .map((life) => attemptOfLife(life, see))
  // A correction's refund comes much later: the history tells of it, and the attempts keep their scale.
  const isOfParts = aspect === 'refund' || aspect === 'dispute'
  const told = isOfParts ? sides.provider : sides.provider.filter(({ kind }) => kind === 'charge')
  const all = [...spans, ...lives, ...attemptOfProvider(told, seen, effect)].sort((a, b) =>
    a.from < b.from ? -1 : 1,
  )
  if (all.length === 0) return null
  const shown = choose(all)
  const leaseEnds = sides.intent.flatMap(({ leaseUntil }) => leaseUntil ?? [])
  const times = [
    ...shown.flatMap((each) => [each.from, each.to, ...each.effects.map(({ at }) => at)]),
    ...leaseEnds,
  ].sort()
  return { from: times[0] ?? '', to: times.at(-1) ?? '', shown, more: all.length - shown.length, leaseEnds }
}

/** The attempt that had the lease, as against one that was told to wait. */
const held = (outcome: string): boolean => ['executed', 'takeover', 'stale', 'waited'].includes(outcome)

/** All but the one that record or ledger names; when neither decides, all but the first. */
function duplicatesOf(sides: CaseSides): string[] {
  const charges = sides.provider.filter(({ kind }) => kind === 'charge').map(({ id }) => id)
  const named = new Set([
    ...sides.ledger.map(({ providerRef }) => providerRef),
    ...sides.intent.flatMap(({ names }) => names),
  ])
  const kept = charges.filter((id) => named.has(id))
  const [keeper] = kept.length === 1 ? kept : charges
  return charges.filter((id) => id !== keeper)
}

/** A killed process exports nothing: its lease, or what the lease became, tells of it. */
const attemptOfLife = (life: SideLife, see: (id: string, at: string) => AttemptEffect): CaseAttempt => ({
  kind: 'life',
  life,
  from: life.acquiredAt,
  to: life.completedAt ?? life.leaseUntil ?? life.effects.at(-1)?.settledAt ?? life.acquiredAt,
  effects: life.effects.flatMap(({ reference, settledAt, begunAt }) =>
    reference === null ? [] : [see(reference, settledAt ?? begunAt)],
  ),
})

/** What the provider has and no attempt told of; its stamps have whole seconds. */
function attemptOfProvider(
  objects: CaseSides['provider'],
  seen: ReadonlySet<string>,
  effect: (id: string, at: string) => AttemptEffect,
): CaseAttempt[] {
  const silent = objects.filter(({ id, status }) => !seen.has(id) && status !== 'absent')
  const times = silent.map(({ createdAt }) => createdAt).sort()
  const [first] = times
  if (first === undefined) return []
  const effects = silent.map(({ id, createdAt }) => effect(id, createdAt))
  return [{ kind: 'provider', from: first, to: times.at(-1) ?? first, effects }]
}

/** Those that had an effect come first; of the rest as many as there is room for. */
function choose(all: readonly CaseAttempt[]): CaseAttempt[] {
  if (all.length <= SHOWN_MAX) return [...all]
  const chosen = new Set(
    [...all].sort((a, b) => Number(b.effects.length > 0) - Number(a.effects.length > 0)).slice(0, SHOWN_MAX),
  )
  return all.filter((each) => chosen.has(each))
}

import type { Lane, LaneDot } from '@/app/_ui/attempt-lanes'
import { shortId } from '@/app/_ui/identifier'
import { outcomeLook } from '@/app/_ui/outcome-look'
import type { Aspect } from '@/lib/core/case-classes'
import type { CaseSides, SideLife } from '@/lib/reconcile/cases/read-case-sides'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'
import type { TraceEffect } from '@/lib/telemetry/read/traces/trace-effects'
import { requestLane } from '../../../_page/request-lane'

export type CaseLanes = {
  from: string
  to: string
  lanes: Lane[]
  /** How many attempts there are besides those shown. */
  more: number
  leaseEnds: string[]
}

const LANES_MAX = 8

/** An id on a lane has little room. */
const dotLabel = (id: string): string => shortId(id, 5, 4)

/** The attempts of the case's keys as lanes on one axis of time, oldest first; null = nothing is known. Pure. */
export function buildLanes(
  sides: CaseSides,
  keyedRequests: readonly KeyedRequest[],
  effects: readonly TraceEffect[],
  aspect: Aspect,
): CaseLanes | null {
  const duplicates = new Set(aspect === 'uniqueness' ? duplicatesOf(sides) : [])
  const dot = (id: string, at: string): LaneDot => ({
    at,
    label: duplicates.has(id) ? `${dotLabel(id)} again` : dotLabel(id),
    tone: duplicates.has(id) ? 'bad' : 'accent',
  })
  const objects = new Set(sides.provider.map(({ id }) => id))
  const seen = new Set<string>()
  const see = (id: string, at: string): LaneDot => {
    seen.add(id)
    return dot(id, at)
  }
  const spans = keyedRequests.map((keyedRequest): Lane => {
    const own = effects.filter(
      ({ traceId, effectId }) =>
        traceId === keyedRequest.traceId && effectId !== null && objects.has(effectId),
    )
    return requestLane(keyedRequest, {
      label: keyedRequest.attempt === null ? 'Request' : `Attempt ${keyedRequest.attempt}`,
      note: keyedRequest.instance,
      text: barText(outcomeLook(keyedRequest.outcome).label, keyedRequest.fence),
      href: `/traces/${keyedRequest.traceId}?span=${keyedRequest.spanId}`,
      dots: own.map(({ effectId, endAt }) => see(effectId ?? '', endAt.toISOString())),
    })
  })
  const store = sides.intent
    .filter((life) => !keyedRequests.some((each) => each.fence === life.fence && held(each.outcome)))
    .map((life) => laneOfLife(life, see))
  // A correction's refund comes much later: the history tells of it, and the attempts keep their scale.
  const isOfParts = aspect === 'refund' || aspect === 'dispute'
  const told = isOfParts ? sides.provider : sides.provider.filter(({ kind }) => kind === 'charge')
  const all = [...spans, ...store, ...laneOfProvider(told, seen, dot)].sort((a, b) =>
    a.from < b.from ? -1 : 1,
  )
  if (all.length === 0) return null
  const lanes = choose(all)
  const leaseEnds = sides.intent.flatMap(({ leaseUntil }) => leaseUntil ?? [])
  const times = [
    ...lanes.flatMap(({ from, to, dots }) => [from, to, ...dots.map(({ at }) => at)]),
    ...leaseEnds,
  ].sort()
  return { from: times[0] ?? '', to: times.at(-1) ?? '', lanes, more: all.length - lanes.length, leaseEnds }
}

const barText = (words: string, fence: string | null): string =>
  fence === null ? words : `${words}, token …${fence.slice(-3)}`

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
function laneOfLife(life: SideLife, see: (id: string, at: string) => LaneDot): Lane {
  const ended = life.completedAt !== null
  return {
    id: `${life.key} ${life.fence}`,
    label: ended ? 'Record' : 'Lease',
    note: 'no span came',
    from: life.acquiredAt,
    to: life.completedAt ?? life.leaseUntil ?? life.effects.at(-1)?.settledAt ?? life.acquiredAt,
    text: barText(ended ? life.state.replaceAll('_', ' ') : 'never finished', life.fence),
    fill: ended ? 'var(--executed)' : 'var(--warning)',
    dots: life.effects.flatMap(({ reference, settledAt, begunAt }) =>
      reference === null ? [] : [see(reference, settledAt ?? begunAt)],
    ),
  }
}

/** What the provider has and no attempt told of; its stamps have whole seconds. */
function laneOfProvider(
  objects: CaseSides['provider'],
  seen: ReadonlySet<string>,
  dot: (id: string, at: string) => LaneDot,
): Lane[] {
  const silent = objects.filter(({ id, status }) => !seen.has(id) && status !== 'absent')
  const times = silent.map(({ createdAt }) => createdAt).sort()
  const [first] = times
  if (first === undefined) return []
  return [
    {
      id: 'provider',
      label: 'Provider',
      note: 'no span came',
      from: first,
      to: times.at(-1) ?? first,
      text: 'no attempt told of it',
      fill: 'var(--ink-3)',
      dots: silent.map(({ id, createdAt }) => dot(id, createdAt)),
    },
  ]
}

/** Those that had an effect come first; of the rest as many as there is room for. */
function choose(all: readonly Lane[]): Lane[] {
  if (all.length <= LANES_MAX) return [...all]
  const chosen = new Set(
    [...all].sort((a, b) => Number(b.dots.length > 0) - Number(a.dots.length > 0)).slice(0, LANES_MAX),
  )
  return all.filter((lane) => chosen.has(lane))
}

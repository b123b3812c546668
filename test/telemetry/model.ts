import type { OtlpSpan } from '@/lib/telemetry/decode/span'
import { Random } from './random'
import { effectSpan, requestSpan, span } from './spans'

/** One span as the generator knows it, from which the measures are computed a second way. */
export type Event = {
  span: OtlpSpan
  atMs: number
  endMs: number
  service: string
  endpoint: string
  client: string
} & (
  | { type: 'unkeyed' }
  | {
      type: 'request'
      scopedKey: string
      outcome: string
      terminal: boolean
      createdMs: number
      /** null: not terminal; Infinity: no expiry was told */
      expiresMs: number | null
      operations: number
      errors: number
    }
  | { type: 'effect'; scopedKey: string; effectId: string; step: string; outcome: string }
)

const OUTCOMES = [
  ...Array(12).fill('executed'),
  ...Array(4).fill('replayed'),
  'in_progress',
  'mismatch',
  'waited',
  'takeover',
  'bypassed',
  'stale',
  'store_error',
  'held',
] as string[]
const ENDPOINTS = ['POST /v1/payments', 'POST /v1/refunds'] as const
const CLIENTS = ['web', 'mobile', 'partner'] as const
const SERVICES = ['payments', 'refunds'] as const

/** Traffic over `spanMs` from `startMs`: few keys, so that retries, duplicates and expired records are common. */
export function generateTraffic(seed: number, startMs: number, spanMs: number, count: number): Event[] {
  const random = new Random(seed)
  const events: Event[] = []
  for (let index = 0; index < count; index++) {
    const atMs = startMs + random.below(spanMs)
    const at = new Date(atMs)
    const service = random.pick(SERVICES)
    const client = random.pick(CLIENTS)
    const endpoint = random.pick(ENDPOINTS)
    const scope = `${client}/${endpoint}`
    const key = `key-${random.below(count / 4)}`
    const traceId = random.hex(16)
    const place = { service, client, endpoint, atMs }
    if (random.chance(0.1)) {
      events.push({
        ...place,
        type: 'unkeyed',
        client: '',
        endMs: atMs + 5,
        span: unkeyed(random, traceId, at, service),
      })
      continue
    }
    events.push(request(random, { ...place, scope, key, traceId, at }))
    for (let effects = random.below(3); effects > 0; effects--) {
      const effectAtMs = atMs + random.below(2000)
      const effectId = `ch_${random.below(4)}`
      const step = random.pick(['charge', 'refund'])
      const outcome = random.pick(['committed', 'committed', 'committed', 'failed', 'unknown', 'skipped'])
      const parts = {
        traceId,
        spanId: random.hex(8),
        at: new Date(effectAtMs),
        key,
        scope,
        effectId,
        step,
        outcome,
        service,
      }
      events.push({
        ...place,
        atMs: effectAtMs,
        endMs: effectAtMs + 5,
        type: 'effect',
        scopedKey: `${scope} ${key}`,
        effectId,
        step,
        outcome,
        span: effectSpan(parts),
      })
    }
  }
  return events
}

type Place = { service: string; client: string; endpoint: string; atMs: number }

function request(
  random: Random,
  from: Place & { scope: string; key: string; traceId: string; at: Date },
): Event {
  const { service, client, endpoint, atMs, scope, key, traceId, at } = from
  const outcome = random.pick(OUTCOMES)
  const durationMs = random.below(5000)
  const terminal = random.chance(0.7)
  const createdMs = atMs - random.below(3000)
  const told = random.below(8) > 0 ? atMs + 1000 + random.below(240_000) : Number.POSITIVE_INFINITY
  const expiresMs = terminal ? told : null
  const operations = random.below(5)
  const errors = random.chance(0.1) ? 1 : 0
  const spanOf = requestSpan({
    traceId,
    spanId: random.hex(8),
    at,
    durationMs,
    key,
    scope,
    outcome,
    createdAt: new Date(createdMs),
    storeOperations: operations,
    storeErrors: errors,
    service,
    ...(terminal ? { state: random.pick(['completed', 'failed_final']) } : { state: 'leased' }),
    ...(expiresMs === null || expiresMs === Number.POSITIVE_INFINITY
      ? {}
      : { expiresAt: new Date(expiresMs) }),
  })
  const place = { service, client, endpoint, atMs, endMs: atMs + durationMs }
  const record = { outcome, terminal, createdMs, expiresMs, operations, errors }
  return { ...place, ...record, type: 'request', scopedKey: `${scope} ${key}`, span: spanOf }
}

function unkeyed(random: Random, traceId: string, at: Date, service: string): OtlpSpan {
  const attributes = { 'http.request.method': 'POST', 'http.route': '/v1/payments' }
  return span({ traceId, spanId: random.hex(8), at, durationMs: 5, kind: 2, attributes, service })
}

export type Expected = {
  m1: [number, number]
  coverage: [number, number]
  m2: [number, number]
  m3: [number, number]
  latenciesMs: number[]
  m5: [number, number]
}

type Keep = { fromMs: number; toMs: number; service?: string; endpoint?: string; client?: string }

/** The measures straight from their definitions, event by event, without roll-ups, flags or SQL. */
export function expectMeasures(events: readonly Event[], keep: Keep): Expected {
  const matches = (event: Event) =>
    (keep.service === undefined || event.service === keep.service) &&
    (keep.endpoint === undefined || event.endpoint === keep.endpoint) &&
    (keep.client === undefined || event.client === keep.client)
  const inside = (ms: number) => ms >= keep.fromMs && ms < keep.toMs
  const requests = events.filter((event) => event.type === 'request')
  const here = requests.filter((event) => matches(event) && inside(event.atMs))
  const outcomes = (...names: string[]) => here.filter((event) => names.includes(event.outcome))
  const counted = here.filter((event) => !['bypassed', 'store_error', 'held'].includes(event.outcome))
  const executions = outcomes('executed', 'takeover')
  const expired = executions.filter((event) =>
    requests.some(
      (other) =>
        other.scopedKey === event.scopedKey &&
        other.atMs < event.atMs &&
        other.expiresMs !== null &&
        other.expiresMs <= event.atMs,
    ),
  )
  const finals = requests.filter(
    (event) =>
      matches(event) &&
      inside(event.endMs) &&
      event.terminal &&
      ['executed', 'takeover'].includes(event.outcome),
  )
  return {
    m1: [outcomes('replayed', 'in_progress', 'mismatch', 'waited', 'takeover').length, counted.length],
    coverage: coverageOf(events, here, inside, keep),
    m2: duplicateEffects(events, matches, inside),
    m3: [
      here.reduce((sum, each) => sum + each.errors, 0),
      here.reduce((sum, each) => sum + each.operations, 0),
    ],
    latenciesMs: finals.map((event) => event.endMs - event.createdMs).sort((left, right) => left - right),
    m5: [expired.length, executions.length],
  }
}

function coverageOf(
  events: readonly Event[],
  keyed: readonly Event[],
  inside: (ms: number) => boolean,
  keep: Keep,
) {
  const routes = new Set(keyed.map((event) => `${event.service} ${event.endpoint}`))
  const bare = events.filter(
    (event) =>
      event.type === 'unkeyed' &&
      inside(event.atMs) &&
      routes.has(`${event.service} POST /v1/payments`) &&
      (keep.endpoint === undefined || keep.endpoint === 'POST /v1/payments'),
  )
  return [keyed.length, keyed.length + bare.length] as [number, number]
}

/** Each distinct effect is at its earliest span; all but the first of its (step, scope, key) are duplicates. */
function duplicateEffects(
  events: readonly Event[],
  matches: (event: Event) => boolean,
  inside: (ms: number) => boolean,
) {
  type Effect = { event: Event; committed: boolean; atMs: number; effectId: string }
  const groups = new Map<string, Map<string, Effect>>()
  for (const event of events) {
    if (event.type !== 'effect') continue
    const group = `${event.scopedKey} ${event.step}`
    const effects = groups.get(group) ?? new Map<string, Effect>()
    groups.set(group, effects)
    const known = effects.get(event.effectId)
    const committed = event.outcome === 'committed' || (known?.committed ?? false)
    const earliest = known !== undefined && known.atMs <= event.atMs ? known.event : event
    effects.set(event.effectId, { event: earliest, committed, atMs: earliest.atMs, effectId: event.effectId })
  }
  let committed = 0
  let duplicates = 0
  for (const effects of groups.values()) {
    const ordered = [...effects.values()]
      .filter((effect) => effect.committed)
      .sort((left, right) => left.atMs - right.atMs || (left.effectId < right.effectId ? -1 : 1))
    ordered.forEach((effect, rank) => {
      if (!inside(effect.atMs) || !matches(effect.event)) return
      committed += 1
      if (rank > 0) duplicates += 1
    })
  }
  return [duplicates, committed] as [number, number]
}

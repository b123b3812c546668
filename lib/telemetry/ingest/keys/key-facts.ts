import type { EffectFact } from '@/lib/telemetry/interpret/effect'
import type { RequestFact } from '@/lib/telemetry/interpret/request'
import type { Micros } from '@/lib/telemetry/micros'
import type { FactRow, KeyFacts } from '../rows/fact-row'
import type { RowWriter } from '../rows/row-writer'
import { writeKeyedRequest } from '../rows/rows'

/** What one observer says about an effect of a key that is locked. */
export type ObservedEffect = {
  keyHash: string
  scope: string
  name: string
  step: string
  effectId: string
  /** 1 span, 2 store, 3 provider */
  rank: 1 | 2 | 3
  time: Micros
  outcome: string
  amountMinor: string | null
  currency: string | null
  kind: string | null
  service: string | null
  version: string | null
  traceId: string | null
}

const DUPLICATE_OUTCOMES: ReadonlySet<string> = new Set([
  'replayed',
  'in_progress',
  'mismatch',
  'waited',
  'takeover',
])
const EXECUTIONS: ReadonlySet<string> = new Set(['executed', 'takeover'])
const TERMINAL_STATES: ReadonlySet<string> = new Set(['completed', 'failed_final'])
const least = (a: Micros | null, b: Micros | null) => (a === null ? b : b === null || a < b ? a : b)

export const keyId = (keyHash: string, scope: string) => `${keyHash} ${scope}`

export function isFinal({ outcome, recordState }: { outcome: string; recordState: string | null }): boolean {
  return EXECUTIONS.has(outcome) && recordState !== null && TERMINAL_STATES.has(recordState)
}

/** Every key of the batch with all that the batch says about it; each row gets hold of its own. */
export function collectKeys(rows: readonly FactRow[]): Map<string, KeyFacts> {
  const keys = new Map<string, KeyFacts>()
  for (const row of rows) {
    const { request, effect, start } = row
    if (request !== null && request.keyHash !== null) {
      row.requestKey = openKey(keys, request.keyHash, request.scope, start)
      addKeyedRequest(row.requestKey, row, request)
    }
    if (effect !== null) {
      row.effectKey = openKey(keys, effect.keyHash, effect.scope ?? '', start)
      addEffect(row.effectKey, effect)
    }
  }
  return keys
}

/** The facts of a key that something says was there at that time. */
export function openKey(keys: Map<string, KeyFacts>, keyHash: string, scope: string, at: Micros): KeyFacts {
  const id = keyId(keyHash, scope)
  let facts = keys.get(id)
  if (facts === undefined) {
    facts = {
      keyHash,
      scope,
      seenFirst: at,
      seenLast: at,
      firstRequestAt: null,
      expiryAt: null,
      terminalAt: null,
      terminalUntil: null,
      known: false,
      keyedRequestsStale: false,
      effectsStale: false,
      effects: null,
      twice: false,
    }
    keys.set(id, facts)
  }
  if (at < facts.seenFirst) facts.seenFirst = at
  if (at > facts.seenLast) facts.seenLast = at
  return facts
}

/** A terminal record was there at the end of the request that made it, or before any other that saw it. */
function addKeyedRequest(facts: KeyFacts, { start, end }: FactRow, request: RequestFact): void {
  facts.firstRequestAt = least(facts.firstRequestAt, start)
  const { recordExpiresAt: expires, recordState, outcome } = request
  addExpiry(facts, start, expires)
  if (recordState !== null && TERMINAL_STATES.has(recordState))
    addTerminal(facts, EXECUTIONS.has(outcome) ? end : start, expires)
}

/** An expiry counts when it lies after the keyed request itself, so that it can only speak against later ones. */
export function addExpiry(facts: KeyFacts, at: Micros, expires: Micros | null): void {
  if (expires !== null && expires > at) facts.expiryAt = least(facts.expiryAt, expires)
}

/** Of several terminal records the one that lives longest is kept, with the earliest sign of it. */
export function addTerminal(facts: KeyFacts, at: Micros, expires: Micros | null): void {
  const until = expires ?? Number.POSITIVE_INFINITY
  if (facts.terminalUntil === null || until > facts.terminalUntil) {
    facts.terminalAt = at
    facts.terminalUntil = until
  } else if (until === facts.terminalUntil) facts.terminalAt = least(facts.terminalAt, at)
}

function addEffect(facts: KeyFacts, effect: EffectFact): void {
  facts.effects ??= new Set()
  const id = `${effect.name} ${effect.step}`
  if (facts.effects.has(id)) facts.twice = true
  facts.effects.add(id)
}

/** For COPY; its flags follow from what is known of its locked key, but for `effect_twice`: see applyKeys. */
export function writeFlaggedKeyedRequest(to: RowWriter, row: FactRow, request: RequestFact): void {
  const { start, requestKey: facts } = row
  const { outcome } = request
  const firstRequestAt = facts?.firstRequestAt ?? null
  const expiryAt = facts?.expiryAt ?? null
  writeKeyedRequest(to, row, request, {
    firstSeen: firstRequestAt === start,
    duplicate:
      DUPLICATE_OUTCOMES.has(outcome) ||
      (outcome === 'observed' && firstRequestAt !== null && start > firstRequestAt),
    expiredRetry: EXECUTIONS.has(outcome) && expiryAt !== null && expiryAt <= start,
    final: isFinal(request),
  })
}

export const EFFECT_COLUMNS = `time, amount_minor, time_rank, outcome, seen_by_span, seen_by_store, seen_by_provider,
  duplicate, settled, key_hash, name, step, scope, effect_id, kind, currency, service, version, trace_ids`

/** For COPY: the only effect of its name and step of a key seen for the first time; else false, and nothing is written. */
export function writePlainEffect(to: RowWriter, row: FactRow): boolean {
  const { effect, effectKey: facts } = row
  if (effect === null || facts === null || facts.known || facts.twice) return false
  to.row(19)
  to.time(row.start)
  to.int8(effect.amountMinor)
  to.int2(1)
  to.text(effect.outcome)
  to.bool(true)
  to.bool(false)
  to.bool(false)
  to.bool(false)
  to.bool(facts.terminalUntil !== null && facts.terminalUntil >= row.start)
  to.hex(effect.keyHash)
  to.text(effect.name)
  to.text(effect.step)
  to.text(effect.scope ?? '')
  to.text(effect.effectId)
  to.text(effect.kind)
  to.text(effect.currency)
  to.text(row.resource.service)
  to.text(row.resource.version)
  to.hexArray([row.traceId])
  return true
}

/** The same effect as one observer of several. */
export function observedEffect(row: FactRow, effect: EffectFact): ObservedEffect {
  return {
    ...effect,
    scope: effect.scope ?? '',
    rank: 1,
    time: row.start,
    amountMinor: effect.amountMinor?.toString() ?? null,
    service: row.resource.service,
    version: row.resource.version,
    traceId: row.traceId,
  }
}

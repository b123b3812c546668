import type { Attributes, OtlpSpan } from '../decode/span'
import type { Micros } from '../micros'
import { count, header, hexId, integer, text, time } from './attributes'

export type RequestFact = {
  outcome: string
  /** null: a request without a key, counted for coverage */
  keyHash: string | null
  scope: string
  endpoint: string
  client: string
  recordCreatedAt: Micros | null
  recordExpiresAt: Micros | null
  recordState: string | null
  fence: bigint | null
  attempt: number | null
  owner: string | null
  storeOperations: number
  storeErrors: number
  statusCode: number | null
  originalTraceId: string | null
}

const SENT_OUTCOMES: ReadonlySet<string> = new Set([
  'executed',
  'replayed',
  'in_progress',
  'mismatch',
  'waited',
  'takeover',
  'bypassed',
  'stale',
  'store_error',
])
const KIND_SERVER = 2
const KIND_CLIENT = 3

/** Names under which others send the raw key; it is hashed here and never stored. */
export const RAW_KEY_ALIASES = ['idempotency_key', 'http.request.header.idempotency-key'] as const

/**
 * A request span: one with a key on the server's side, or a SERVER span with a route and no key. Client spans
 * that carry a key are the caller's view of the same request, and effect spans are read by effect.ts.
 */
export function readRequest(span: OtlpSpan, hash: (key: string) => string): RequestFact | null {
  const { attributes } = span
  if (span.kind === KIND_CLIENT || attributes['idempotency.effect.name'] !== undefined) return null
  const outcome = readOutcome(attributes)
  if (span.kind !== KIND_SERVER && outcome === 'observed') return null
  const keyHash = readKeyHash(attributes, hash)
  const { scope, endpoint, client } = readScope(attributes)
  if (endpoint === '' || (keyHash === null && span.kind !== KIND_SERVER)) return null
  return {
    outcome: keyHash === null ? 'unkeyed' : outcome,
    keyHash,
    scope,
    endpoint,
    client,
    recordCreatedAt: time(attributes, 'idempotency.record.created_at'),
    recordExpiresAt: time(attributes, 'idempotency.record.expires_at'),
    recordState: text(attributes, 'idempotency.record.state', 32),
    fence: integer(attributes, 'idempotency.lock.fence'),
    attempt: count(attributes, 'idempotency.attempt.number') || null,
    owner: text(attributes, 'idempotency.lock.owner.id'),
    storeOperations: count(attributes, 'idempotency.store.operations'),
    storeErrors: count(attributes, 'idempotency.store.errors'),
    statusCode: readStatusCode(attributes),
    originalTraceId: hexId(attributes, 'idempotency.original.trace_id', 16),
  }
}

function readOutcome(attributes: Attributes): string {
  const sent = attributes['idempotency.outcome']
  if (typeof sent === 'string' && SENT_OUTCOMES.has(sent)) return sent
  const hit = attributes['idempotency.hit']
  if (hit === true || hit === 'true') return 'replayed'
  if (hit === false || hit === 'false') return 'executed'
  return 'observed'
}

/** The key's hash; other forms and the raw key are hashed, a quoted structured-field string without its quotes. */
export function readKeyHash(attributes: Attributes, hash: (key: string) => string): string | null {
  const sent = hexId(attributes, 'idempotency.key.hash', 16)
  if (sent !== null) return sent
  const raw =
    text(attributes, 'idempotency.key.hash') ??
    text(attributes, 'idempotency.key') ??
    RAW_KEY_ALIASES.reduce<string | null>((found, alias) => found ?? header(attributes, alias), null)
  if (raw === null) return null
  const quoted = /^"(.*)"$/.exec(raw.trim())
  return hash(quoted?.[1] ?? raw.trim())
}

function readScope(attributes: Attributes): { scope: string; endpoint: string; client: string } {
  const scope = text(attributes, 'idempotency.scope.name')
  const slash = scope?.indexOf('/') ?? -1
  if (scope !== null && slash >= 0)
    return { scope, client: scope.slice(0, slash), endpoint: scope.slice(slash + 1) }
  const method = text(attributes, 'http.request.method', 32) ?? text(attributes, 'http.method', 32)
  const route = text(attributes, 'http.route')
  const endpoint = method !== null && route !== null ? `${method} ${route}` : (scope ?? '')
  return { scope: scope ?? `/${endpoint}`, client: '', endpoint }
}

function readStatusCode(attributes: Attributes): number | null {
  const status = count(attributes, 'http.response.status_code') || count(attributes, 'http.status_code')
  return status >= 100 && status <= 999 ? status : null
}

import { redactUrls } from '@/lib/core/redact'
import type { Attributes, AttributeValue, OtlpSpan } from '../decode/span'
import type { Micros } from '../micros'
import { count, header, hexId, integer, text, time } from './attributes'
import { isHeadersName, isRawKeyName } from './names'

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
  'held',
])
const KIND_SERVER = 2
const KIND_CLIENT = 3

/** A route that an instrumentation did not name: one endpoint for all of a method's, since paths hold ids. */
export const NO_ROUTE = '(no route)'
const METHODS: ReadonlySet<string> = new Set(
  'GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT QUERY'.split(' '),
)

/**
 * A request span: one with a key on the server's side, or an HTTP SERVER span without a key. Client spans
 * that carry a key are the caller's view of the same request, and effect spans are read by effect.ts.
 */
export function readRequest(span: OtlpSpan, hash: (key: string) => string): RequestFact | null {
  const { attributes } = span
  if (span.kind === KIND_CLIENT || attributes['idempotency.effect.name'] !== undefined) return null
  const outcome = readOutcome(attributes)
  if (span.kind !== KIND_SERVER && outcome === 'observed') return null
  const keyHash = readKeyHash(attributes, hash)
  const { scope, endpoint, client } = readScope(attributes)
  // Without a method and a route it is not of HTTP: only its key makes it a request.
  if (keyHash === null && (span.kind !== KIND_SERVER || endpoint === NO_ROUTE)) return null
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

/** The key's hash; other forms and the raw key are hashed, a structured-field string without its quotes and parameters. */
export function readKeyHash(attributes: Attributes, hash: (key: string) => string): string | null {
  const sent = hexId(attributes, 'idempotency.key.hash', 16)
  if (sent !== null) return sent
  const raw =
    text(attributes, 'idempotency.key.hash') ?? text(attributes, 'idempotency.key') ?? readRawKey(attributes)
  if (raw === null) return null
  const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(raw.trim())?.[1]
  return hash(quoted?.replace(/\\(["\\])/g, '$1') ?? raw.trim())
}

function readRawKey(attributes: Attributes): string | null {
  for (const name in attributes) {
    if (isRawKeyName(name)) return header(attributes, name)
    const value = attributes[name]
    // Looked at first, for most attributes are no maps.
    if (isMap(value) && isHeadersName(name)) return readRawKey(value)
  }
  return null
}

const isMap = (value: AttributeValue | undefined): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function readScope(attributes: Attributes): { scope: string; endpoint: string; client: string } {
  const scope = text(attributes, 'idempotency.scope.name')
  const slash = scope?.indexOf('/') ?? -1
  if (scope !== null && slash >= 0)
    return { scope, client: scope.slice(0, slash), endpoint: scope.slice(slash + 1) }
  const method = text(attributes, 'http.request.method', 32) ?? text(attributes, 'http.method', 32)
  const route = text(attributes, 'http.route')
  const endpoint =
    method !== null && route !== null
      ? `${method} ${redactUrls(route)}`
      : (scope ?? (method === null ? NO_ROUTE : `${METHODS.has(method) ? method : '_OTHER'} ${NO_ROUTE}`))
  return { scope: scope ?? `/${endpoint}`, client: '', endpoint }
}

function readStatusCode(attributes: Attributes): number | null {
  const status = count(attributes, 'http.response.status_code') || count(attributes, 'http.status_code')
  return status >= 100 && status <= 999 ? status : null
}

import type { Attributes, AttributeValue, OtlpSpan } from '../decode/span'
import type { AcceptedSpan } from '../interpret/interpret'
import { RAW_KEY_ALIASES } from '../interpret/request'

/** Columns of the staging table in COPY's order; stage-tables.ts declares them alike. */
export const STAGE_COLUMNS = `start_time timestamptz, end_time timestamptz, duration_ns bigint, start_nanos smallint,
  kind smallint, status_code smallint, trace_id bytea, span_id bytea, parent_span_id bytea, name text,
  status_message text, service text, version text, instance text, environment text, region text,
  attributes jsonb, events jsonb, links jsonb,
  outcome text, key_hash bytea, scope text, endpoint text, client text, record_created_at timestamptz,
  record_expires_at timestamptz, record_state text, fence bigint, attempt integer, owner text,
  store_operations integer, store_errors integer, http_status smallint, original_trace_id bytea,
  effect_name text, effect_step text, effect_kind text, effect_id text, effect_key_hash bytea, effect_scope text,
  effect_outcome text, effect_amount bigint, effect_currency text`

const NO_REQUEST = '\\N\t'.repeat(15)
const NO_EFFECT = '\\N\t'.repeat(8)

/** One line of COPY's text format. */
export function copyLine({ span, request, effect }: AcceptedSpan): string {
  // A clock that was set back between start and end: the start is kept, the duration is 0.
  const durationNs = span.endNs > span.startNs ? span.endNs - span.startNs : 0n
  const { resource } = span
  let line =
    `${timestamp(span.startNs)}\t${timestamp(span.startNs + durationNs)}\t${durationNs}\t${span.startNs % 1000n}\t` +
    `${small(span.kind)}\t${small(span.statusCode)}\t\\\\x${span.traceId}\t\\\\x${span.spanId}\t` +
    `${span.parentSpanId.length === 16 ? `\\\\x${span.parentSpanId}` : '\\N'}\t${escapeText(span.name)}\t` +
    `${span.statusMessage === '' ? '\\N' : escapeText(span.statusMessage)}\t` +
    `${escapeText(resourceText(resource, 'service.name', 'unknown'))}\t${escapeText(resourceText(resource, 'service.version'))}\t` +
    `${escapeText(resourceText(resource, 'service.instance.id'))}\t${escapeText(environmentOf(resource))}\t` +
    `${escapeText(resourceText(resource, 'cloud.region'))}\t${escapeText(json(redact(span.attributes)))}\t` +
    `${span.events.length === 0 ? '\\N' : escapeText(json(eventsOf(span)))}\t` +
    `${span.links.length === 0 ? '\\N' : escapeText(json(span.links))}\t`
  line +=
    request === null
      ? NO_REQUEST
      : `${request.outcome}\t${hex(request.keyHash)}\t${escapeText(request.scope)}\t${escapeText(request.endpoint)}\t` +
        `${escapeText(request.client)}\t${request.recordCreatedAt ?? '\\N'}\t${request.recordExpiresAt ?? '\\N'}\t` +
        `${nullable(request.recordState)}\t${request.fence ?? '\\N'}\t${request.attempt ?? '\\N'}\t` +
        `${nullable(request.owner)}\t${request.storeOperations}\t${request.storeErrors}\t` +
        `${request.statusCode ?? '\\N'}\t${hex(request.originalTraceId)}\t`
  line +=
    effect === null
      ? `${NO_EFFECT}\\N\n`
      : `${escapeText(effect.name)}\t${escapeText(effect.step)}\t${nullable(effect.kind)}\t${escapeText(effect.effectId)}\t` +
        `${hex(effect.keyHash)}\t${nullable(effect.scope)}\t${effect.outcome}\t${effect.amountMinor ?? '\\N'}\t` +
        `${nullable(effect.currency)}\n`
  return line
}

/** Microseconds, which is what timestamptz keeps; nanoseconds below are kept beside it. */
function timestamp(ns: bigint): string {
  const us = ns / 1000n
  const micros = Number(us % 1_000_000n)
  const seconds = new Date(Number(us / 1_000_000n) * 1000).toISOString().slice(0, 19)
  return `${seconds}.${String(micros).padStart(6, '0')}Z`
}

const small = (value: number) => (value >= 0 && value <= 32_767 ? value : 0)
const hex = (value: string | null) => (value === null ? '\\N' : `\\\\x${value}`)
const nullable = (value: string | null) => (value === null ? '\\N' : escapeText(value))

const ESCAPED: Record<string, string> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' }
const TO_ESCAPE = /[\\\t\n\r]/g

function escapeText(text: string): string {
  return text.replace(TO_ESCAPE, (character) => ESCAPED[character] ?? character)
}

function json(value: unknown): string {
  return JSON.stringify(value, (_name, each) => (typeof each === 'bigint' ? each.toString() : each))
}

function eventsOf(span: OtlpSpan) {
  return span.events.map((event) => ({ ...event, timeNs: event.timeNs.toString() }))
}

function resourceText(resource: Attributes, name: string, absent = ''): string {
  const value = resource[name]
  return typeof value === 'string' && value !== '' ? cutBytes(value, RESOURCE_BYTES_MAX) : absent
}

/** They are parts of the roll-ups' primary keys, which hold 2,700 bytes in all. */
const RESOURCE_BYTES_MAX = 128

function cutBytes(value: string, bytesMax: number): string {
  if (Buffer.byteLength(value) <= bytesMax) return value
  // A character cut in half becomes U+FFFD, and goes.
  return Buffer.from(value)
    .subarray(0, bytesMax)
    .toString('utf8')
    .replace(/\uFFFD$/, '')
}

function environmentOf(resource: Attributes): string {
  return (
    resourceText(resource, 'deployment.environment.name') || resourceText(resource, 'deployment.environment')
  )
}

const SECRET_HEADER =
  /^http\.(request|response)\.header\.(authorization|proxy-authorization|cookie|set-cookie|x-api-key)$/i

/** Raw keys and credentials that an instrumentation captured are not stored. `idempotency.key` is the sender's opt-in. */
function redact(attributes: Attributes): Attributes {
  let redacted: Attributes | undefined
  const replace = (name: string, value: AttributeValue) => {
    redacted ??= { ...attributes }
    redacted[name] = value
  }
  for (const alias of RAW_KEY_ALIASES) if (attributes[alias] !== undefined) replace(alias, '[hashed]')
  for (const name in attributes)
    if (name.startsWith('http.') && SECRET_HEADER.test(name)) replace(name, '[redacted]')
  return redacted ?? attributes
}

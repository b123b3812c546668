import { redactUrls } from '@/lib/core/redact'
import type { Attributes, OtlpSpan } from '@/lib/telemetry/decode/span'
import type { RequestFact } from '@/lib/telemetry/interpret/request'
import { type Micros, microsOfNs } from '@/lib/telemetry/micros'
import type { FactRow, Resource } from './fact-row'
import { attributesJson, json } from './json-text'
import { RowWriter } from './row-writer'

/** Rows for COPY, and the columns that they fill, in the same order. */

export const SPAN_COLUMNS = `start_time, end_time, received_at, duration_ns, start_nanos, kind, status_code, trace_id, span_id,
  parent_span_id, name, status_message, service, version, instance, environment, region, attributes, events, links`

export type Times = { start: Micros; end: Micros; durationNs: bigint }

export function timesOf({ startNs, endNs }: OtlpSpan): Times {
  // A clock that was set back between start and end: the start is kept, the duration is 0.
  const durationNs = endNs > startNs ? endNs - startNs : 0n
  return { start: microsOfNs(startNs), end: microsOfNs(startNs + durationNs), durationNs }
}

export function writeSpan(
  to: RowWriter,
  span: OtlpSpan,
  { start, end, durationNs }: Times,
  resource: Resource,
  received: Micros,
): void {
  to.row(20)
  to.time(start)
  to.time(end)
  to.time(received)
  to.int8(durationNs)
  to.int2(Number(span.startNs % 1000n))
  to.int2(small(span.kind))
  to.int2(small(span.statusCode))
  to.hex(span.traceId)
  to.hex(span.spanId)
  to.hex(span.parentSpanId.length === 16 ? span.parentSpanId : null)
  to.text(redactUrls(span.name))
  to.text(span.statusMessage === '' ? null : redactUrls(span.statusMessage))
  to.fields(resource.fields)
  to.jsonb(attributesJson(span.attributes))
  to.jsonb(span.events.length === 0 ? null : eventsJson(span))
  to.jsonb(span.links.length === 0 ? null : linksJson(span))
}

/** Fits a smallint; 0 when it does not. */
export const small = (value: number) => (value >= 0 && value <= 32_767 ? value : 0)

export type KeyedRequestFlags = {
  firstSeen: boolean
  duplicate: boolean
  expiredRetry: boolean
  final: boolean
}

export const KEYED_REQUEST_COLUMNS = `time, end_time, record_created_at, record_expires_at, fence, attempt, store_operations,
  store_errors, status_code, first_seen, duplicate, expired_retry, effect_twice, final, trace_id, span_id, key_hash,
  original_trace_id, service, version, instance, environment, region, scope, endpoint, client, outcome, record_state,
  owner`

export function writeKeyedRequest(
  to: RowWriter,
  row: FactRow,
  request: RequestFact,
  flags: KeyedRequestFlags,
): void {
  to.row(29)
  to.time(row.start)
  to.time(row.end)
  to.time(request.recordCreatedAt)
  to.time(request.recordExpiresAt)
  to.int8(request.fence)
  to.int4(request.attempt)
  to.int4(request.storeOperations)
  to.int4(request.storeErrors)
  to.int2(request.statusCode)
  to.bool(flags.firstSeen)
  to.bool(flags.duplicate)
  to.bool(flags.expiredRetry)
  to.bool(false)
  to.bool(flags.final)
  to.hex(row.traceId)
  to.hex(row.spanId)
  to.hex(request.keyHash)
  to.hex(request.originalTraceId)
  to.fields(row.resource.fields)
  to.text(request.scope)
  to.text(request.endpoint)
  to.text(request.client)
  to.text(request.outcome)
  to.text(request.recordState)
  to.text(request.owner)
}

function eventsJson({ events }: OtlpSpan): string {
  const each = events.map(
    ({ timeNs, name, attributes }) =>
      `{"timeNs":"${timeNs}","name":${json(redactUrls(name))},"attributes":${attributesJson(attributes)}}`,
  )
  return `[${each.join(',')}]`
}

function linksJson({ links }: OtlpSpan): string {
  const each = links.map(
    ({ traceId, spanId, attributes }) =>
      `{"traceId":${json(traceId)},"spanId":${json(spanId)},"attributes":${attributesJson(attributes)}}`,
  )
  return `[${each.join(',')}]`
}

/** Spans of one resource share the object, so its names are read once. */
const resources = new WeakMap<Attributes, Resource>()

export function readResource(resource: Attributes): Resource {
  const known = resources.get(resource)
  if (known) return known
  const names = {
    service: resourceText(resource, 'service.name', 'unknown'),
    version: resourceText(resource, 'service.version'),
    instance: resourceText(resource, 'service.instance.id'),
    environment:
      resourceText(resource, 'deployment.environment.name') ||
      resourceText(resource, 'deployment.environment'),
    region: resourceText(resource, 'cloud.region'),
  }
  const writer = new RowWriter(RESOURCE_BYTES_MAX)
  for (const name of Object.values(names)) writer.text(name)
  const read = { ...names, id: Object.values(names).join('\0'), fields: Buffer.concat(writer.take()) }
  resources.set(resource, read)
  return read
}

function resourceText(resource: Attributes, name: string, absent = ''): string {
  const value = resource[name]
  return typeof value === 'string' && value !== '' ? cutBytes(redactUrls(value), RESOURCE_BYTES_MAX) : absent
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

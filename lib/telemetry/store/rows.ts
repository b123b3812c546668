import type { Attributes, OtlpSpan } from '../decode/span'
import type { DeliveryFact } from '../interpret/delivery'
import type { EffectFact } from '../interpret/effect'
import type { RequestFact } from '../interpret/request'
import { attributesField } from './attributes-field'
import { escapeText, hex, json, NULL, nullable, small, timestamp } from './copy-text'
import type { KeyFacts } from './key-facts'

/** Lines of COPY's text format, one a row, with the columns that they fill, in the same order. */

/** What a span says about requests, effects and messages; times as they are sent to COPY. */
export type FactRow = {
  request: RequestFact | null
  effect: EffectFact | null
  delivery: DeliveryFact | null
  start: string
  end: string
  traceId: string
  spanId: string
  resource: Resource
  /** what the batch says about its keys: filled in by collectKeys */
  requestKey: KeyFacts | null
  effectKey: KeyFacts | null
}

export const SPAN_COLUMNS = `start_time, end_time, duration_ns, start_nanos, kind, status_code, trace_id, span_id,
  parent_span_id, name, status_message, service, version, instance, environment, region, received_at, attributes,
  events, links`

export type Times = { start: string; end: string; durationNs: bigint }

export function timesOf({ startNs, endNs }: OtlpSpan): Times {
  // A clock that was set back between start and end: the start is kept, the duration is 0.
  const durationNs = endNs > startNs ? endNs - startNs : 0n
  return { start: timestamp(startNs), end: timestamp(startNs + durationNs), durationNs }
}

/** `place`: the fields of its resource and when it was received. */
export function spanFields(span: OtlpSpan, { start, end, durationNs }: Times, place: string): string {
  return (
    `${start}\t${end}\t${durationNs}\t${span.startNs % 1000n}\t${small(span.kind)}\t${small(span.statusCode)}\t` +
    `${hex(span.traceId)}\t${hex(span.spanId)}\t${span.parentSpanId.length === 16 ? hex(span.parentSpanId) : NULL}\t` +
    `${escapeText(span.name)}\t${span.statusMessage === '' ? NULL : escapeText(span.statusMessage)}\t${place}\t` +
    `${attributesField(span.attributes)}\t${span.events.length === 0 ? NULL : escapeText(json(eventsOf(span)))}\t` +
    `${span.links.length === 0 ? NULL : escapeText(json(span.links))}`
  )
}

export type SightingFlags = {
  firstSeen: boolean
  duplicate: boolean
  expiredRetry: boolean
  final: boolean
}

export const SIGHTING_COLUMNS = `time, end_time, record_created_at, record_expires_at, fence, attempt, store_operations,
  store_errors, status_code, first_seen, duplicate, expired_retry, effect_twice, final, trace_id, span_id, key_hash,
  original_trace_id, service, version, instance, environment, region, scope, endpoint, client, outcome, record_state,
  owner`

export function sightingFields(row: FactRow, request: RequestFact, flags: SightingFlags): string {
  return (
    `${row.start}\t${row.end}\t${recordFields(request)}\t${request.fence ?? NULL}\t${request.attempt ?? NULL}\t` +
    `${request.storeOperations}\t${request.storeErrors}\t${request.statusCode ?? NULL}\t${flags.firstSeen}\t` +
    `${flags.duplicate}\t${flags.expiredRetry}\tf\t${flags.final}\t${hex(row.traceId)}\t${hex(row.spanId)}\t${hex(request.keyHash)}\t` +
    `${hex(request.originalTraceId)}\t${row.resource.fields}\t${placeFields(request)}\t${request.outcome}\t` +
    `${nullable(request.recordState)}\t${nullable(request.owner)}`
  )
}

const placeFields = ({ scope, endpoint, client }: RequestFact) =>
  `${escapeText(scope)}\t${escapeText(endpoint)}\t${escapeText(client)}`

const recordFields = ({ recordCreatedAt, recordExpiresAt }: RequestFact) =>
  `${recordCreatedAt ?? NULL}\t${recordExpiresAt ?? NULL}`

function eventsOf(span: OtlpSpan) {
  return span.events.map((event) => ({ ...event, timeNs: event.timeNs.toString() }))
}

export type Resource = {
  service: string
  version: string
  instance: string
  environment: string
  region: string
  /** the five of them for COPY */
  fields: string
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
  const read = { ...names, fields: Object.values(names).map(escapeText).join('\t') }
  resources.set(resource, read)
  return read
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

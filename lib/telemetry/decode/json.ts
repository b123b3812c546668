import { quoteLongIntegers } from './json-integers'
import { cleanName } from './names'
import { emptySpan, keep } from './protobuf'
import {
  type Attributes,
  type AttributeValue,
  cleanDouble,
  cleanInteger,
  cleanText,
  emptyAttributes,
  LIMITS,
  MalformedError,
  type OtlpSpan,
  setAttribute,
} from './span'

/**
 * ExportTraceServiceRequest in protobuf's JSON mapping with OTLP's own rule: ids are hex. int64 is a string or a
 * number, bytes are base64, enums are numbers, unknown fields are ignored, null is absent.
 */
export function decodeJson(bytes: Buffer): OtlpSpan[] {
  const spans: OtlpSpan[] = []
  for (const entry of list(parse(bytes), 'resourceSpans')) {
    const resourceSpans = record(entry, 'resourceSpans[]')
    const resource = emptyAttributes()
    const declared = resourceSpans.resource
    if (declared !== undefined && declared !== null) readAttributes(record(declared, 'resource'), resource, 0)
    for (const scope of list(resourceSpans, 'scopeSpans')) {
      for (const span of list(record(scope, 'scopeSpans[]'), 'spans')) {
        spans.push(readSpan(record(span, 'spans[]'), resource))
        if (spans.length > LIMITS.spans)
          throw new MalformedError(`more than ${LIMITS.spans} spans in one request`)
      }
    }
  }
  return spans
}

export type Json = { [name: string]: unknown }

export function parse(bytes: Buffer): Json {
  try {
    return record(JSON.parse(quoteLongIntegers(bytes.toString('utf8'))), 'the body')
  } catch (cause) {
    if (cause instanceof MalformedError) throw cause
    throw new MalformedError('json: the body does not parse')
  }
}

export function record(value: unknown, what: string): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new MalformedError(`json: ${what} must be an object`)
  }
  return value as Json
}

export function list(from: Json, name: string): unknown[] {
  const value = from[name]
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new MalformedError(`json: ${name} must be an array`)
  return value
}

export function text(from: Json, name: string): string {
  const value = from[name]
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string') throw new MalformedError(`json: ${name} must be a string`)
  return value
}

export function hex(from: Json, name: string): string {
  const value = text(from, name)
  if (value.length > 34) return value.slice(0, 34)
  if (!/^[0-9a-fA-F]*$/.test(value)) throw new MalformedError(`json: ${name} must be hex`)
  return value.toLowerCase()
}

export function integer(value: unknown, name: string): bigint {
  if (value === undefined || value === null) return 0n
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
  // Written with an exponent: what JSON calls a number may be whole all the same.
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 64) return BigInt(value)
  throw new MalformedError(`json: ${name} must be an integer`)
}

export function enumeration(value: unknown, name: string): number {
  const whole = integer(value, name)
  return Number(BigInt.asIntN(32, whole))
}

function readSpan(from: Json, resource: Attributes): OtlpSpan {
  const span = emptySpan(resource)
  span.traceId = hex(from, 'traceId')
  span.spanId = hex(from, 'spanId')
  span.parentSpanId = hex(from, 'parentSpanId')
  span.name = cleanText(text(from, 'name'))
  span.kind = enumeration(from.kind, 'kind')
  span.startNs = integer(from.startTimeUnixNano, 'startTimeUnixNano')
  span.endNs = integer(from.endTimeUnixNano, 'endTimeUnixNano')
  readAttributes(from, span.attributes, 0)
  for (const entry of list(from, 'events')) {
    const event = record(entry, 'events[]')
    const timeNs = integer(event.timeUnixNano, 'timeUnixNano')
    const attributes = readAttributes(event, emptyAttributes(), 0)
    keep(span, span.events, LIMITS.events, { timeNs, name: cleanText(text(event, 'name')), attributes })
  }
  for (const entry of list(from, 'links')) {
    const link = record(entry, 'links[]')
    const attributes = readAttributes(link, emptyAttributes(), 0)
    keep(span, span.links, LIMITS.links, {
      traceId: hex(link, 'traceId'),
      spanId: hex(link, 'spanId'),
      attributes,
    })
  }
  if (from.status !== undefined && from.status !== null) {
    const status = record(from.status, 'status')
    span.statusCode = enumeration(status.code, 'status.code')
    span.statusMessage = cleanText(text(status, 'message'))
  }
  return span
}

export function readAttributes(from: Json, into: Attributes, depth: number, name = 'attributes'): Attributes {
  let count = 0
  for (const entry of list(from, name)) {
    const pair = record(entry, `${name}[]`)
    const { value } = pair
    const read = value === undefined || value === null ? null : readValue(record(value, 'value'), depth)
    setAttribute(into, cleanName(text(pair, 'key')), read, ++count)
  }
  return into
}

export function readValue(from: Json, depth: number): AttributeValue {
  if (typeof from.stringValue === 'string') return cleanText(from.stringValue)
  if (typeof from.boolValue === 'boolean') return from.boolValue
  if (from.intValue !== undefined && from.intValue !== null) {
    return cleanInteger(BigInt.asIntN(64, integer(from.intValue, 'intValue')))
  }
  if (from.doubleValue !== undefined && from.doubleValue !== null) return readDouble(from.doubleValue)
  if (typeof from.bytesValue === 'string') {
    return Buffer.from(from.bytesValue, 'base64').subarray(0, LIMITS.text).toString('base64')
  }
  if (from.arrayValue !== undefined && from.arrayValue !== null) return readArray(from.arrayValue, depth + 1)
  if (from.kvlistValue !== undefined && from.kvlistValue !== null) {
    if (depth + 1 > LIMITS.depth) return null
    return readAttributes(record(from.kvlistValue, 'kvlistValue'), emptyAttributes(), depth + 1, 'values')
  }
  return null
}

function readArray(from: unknown, depth: number): AttributeValue {
  if (depth > LIMITS.depth) return null
  const values = list(record(from, 'arrayValue'), 'values').slice(0, LIMITS.elements)
  return values.map((value) => (value === null ? null : readValue(record(value, 'values[]'), depth)))
}

function readDouble(value: unknown): AttributeValue {
  if (typeof value === 'number') return cleanDouble(value)
  if (typeof value === 'string' && /^(NaN|-?Infinity|-?\d+(\.\d+)?([eE][+-]?\d+)?)$/.test(value)) {
    return cleanDouble(Number(value))
  }
  throw new MalformedError('json: doubleValue must be a number')
}

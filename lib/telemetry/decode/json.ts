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
  type Rejections,
  reject,
  setAttribute,
} from './span'

/**
 * ExportTraceServiceRequest in protobuf's JSON mapping with OTLP's own rule: ids are hex. Names in lowerCamelCase or as in
 * the .proto file, int64 as text or number, bytes in base64, enums as numbers or by name; unknown fields are ignored, null
 * is absent. A span that cannot be read is left out and counted in `rejections`; the others are read.
 */
export function decodeJson(bytes: Buffer, rejections: Rejections): OtlpSpan[] {
  return decodeItems(bytes, TRACES, readSpan, rejections)
}

/** Names of the lists on the way to one signal's items; the older one is of OTLP before 0.15. */
export type ItemNames = { resource: string; scope: string; olderScope: string; items: string }
const TRACES: ItemNames = {
  resource: 'resourceSpans',
  scope: 'scopeSpans',
  olderScope: 'instrumentationLibrarySpans',
  items: 'spans',
}

export function decodeItems<T>(
  bytes: Buffer,
  names: ItemNames,
  readItem: (from: Json, resource: Attributes) => T,
  rejections: Rejections,
): T[] {
  const items: T[] = []
  let sent = 0
  for (const entry of list(parse(bytes), names.resource)) {
    const ofResource = record(entry, `${names.resource}[]`)
    const resource = emptyAttributes()
    const declared = field(ofResource, 'resource')
    if (declared !== undefined) readAttributes(record(declared, 'resource'), resource, 0)
    const scopes = [...list(ofResource, names.scope), ...list(ofResource, names.olderScope)]
    for (const scope of scopes) {
      for (const item of list(record(scope, `${names.scope}[]`), names.items)) {
        if (++sent > LIMITS.spans)
          throw new MalformedError(`more than ${LIMITS.spans} ${names.items} in one request`)
        try {
          items.push(readItem(record(item, `${names.items}[]`), resource))
        } catch (error) {
          if (!(error instanceof MalformedError)) throw error
          reject(rejections, error.message)
        }
      }
    }
  }
  return items
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

const underscored = new Map<string, string>()

/** A field by its lowerCamelCase name, or by its name in the .proto file; undefined when absent or null. */
export function field(from: Json, name: string): unknown {
  const value = from[name]
  if (value !== undefined) return value ?? undefined
  let other = underscored.get(name)
  if (other === undefined) {
    other = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    underscored.set(name, other)
  }
  return from[other] ?? undefined
}

export function list(from: Json, name: string): unknown[] {
  const value = field(from, name)
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new MalformedError(`json: ${name} must be an array`)
  return value
}

export function text(from: Json, name: string): string {
  const value = field(from, name)
  if (value === undefined) return ''
  if (typeof value !== 'string') throw new MalformedError(`json: ${name} must be a string`)
  return value
}

export function hex(from: Json, name: string): string {
  const value = text(from, name)
  if (value.length > 34) return value.slice(0, 34)
  if (!/^[0-9a-fA-F]*$/.test(value)) throw new MalformedError(`json: ${name} must be hex`)
  return value.toLowerCase()
}

export function integer(from: Json, name: string): bigint {
  return toInteger(field(from, name) ?? 0, name)
}

function toInteger(value: unknown, name: string): bigint {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value)
  if (typeof value === 'string' && /^-?\d{1,20}$/.test(value)) return BigInt(value)
  // Written with an exponent: what JSON calls a number may be whole all the same.
  if (typeof value === 'number' && Number.isInteger(value) && Math.abs(value) < 2 ** 64) return BigInt(value)
  throw new MalformedError(`json: ${name} must be an integer`)
}

/** Values of an enum by name; a number is taken as it is. */
export function enumeration(from: Json, name: string, named: Readonly<Record<string, number>>): number {
  const value = field(from, name)
  if (typeof value !== 'string' || /^-?\d/.test(value))
    return Number(BigInt.asIntN(32, toInteger(value ?? 0, name)))
  const known = named[value]
  if (known === undefined) throw new MalformedError(`json: ${name} has no value ${cleanText(value, 64)}`)
  return known
}

const KINDS = {
  SPAN_KIND_UNSPECIFIED: 0,
  SPAN_KIND_INTERNAL: 1,
  SPAN_KIND_SERVER: 2,
  SPAN_KIND_CLIENT: 3,
  SPAN_KIND_PRODUCER: 4,
  SPAN_KIND_CONSUMER: 5,
}
const STATUS_CODES = { STATUS_CODE_UNSET: 0, STATUS_CODE_OK: 1, STATUS_CODE_ERROR: 2 }

function readSpan(from: Json, resource: Attributes): OtlpSpan {
  const span = emptySpan(resource)
  span.traceId = hex(from, 'traceId')
  span.spanId = hex(from, 'spanId')
  span.parentSpanId = hex(from, 'parentSpanId')
  span.name = cleanText(text(from, 'name'))
  span.kind = enumeration(from, 'kind', KINDS)
  span.startNs = integer(from, 'startTimeUnixNano')
  span.endNs = integer(from, 'endTimeUnixNano')
  readAttributes(from, span.attributes, 0)
  for (const entry of list(from, 'events')) {
    const event = record(entry, 'events[]')
    const timeNs = integer(event, 'timeUnixNano')
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
  const declared = field(from, 'status')
  if (declared !== undefined) {
    const status = record(declared, 'status')
    span.statusCode = enumeration(status, 'code', STATUS_CODES)
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
  const text = field(from, 'stringValue')
  if (typeof text === 'string') return cleanText(text)
  const flag = field(from, 'boolValue')
  if (typeof flag === 'boolean') return flag
  const whole = field(from, 'intValue')
  if (whole !== undefined) return cleanInteger(BigInt.asIntN(64, toInteger(whole, 'intValue')))
  const double = field(from, 'doubleValue')
  if (double !== undefined) return readDouble(double)
  const bytes = field(from, 'bytesValue')
  if (typeof bytes === 'string')
    return Buffer.from(bytes, 'base64').subarray(0, LIMITS.text).toString('base64')
  const array = field(from, 'arrayValue')
  if (array !== undefined) return readArray(array, depth + 1)
  const map = field(from, 'kvlistValue')
  if (map === undefined || depth + 1 > LIMITS.depth) return null
  return readAttributes(record(map, 'kvlistValue'), emptyAttributes(), depth + 1, 'values')
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

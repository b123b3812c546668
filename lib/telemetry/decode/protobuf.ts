import {
  type Attributes,
  type AttributeValue,
  cleanDouble,
  cleanText,
  emptyAttributes,
  LIMITS,
  MalformedError,
  type OtlpEvent,
  type OtlpLink,
  type OtlpSpan,
  setAttribute,
} from './span'
import { WireReader } from './wire'

/**
 * ExportTraceServiceRequest straight from bytes into spans: no generated code, 64 bits exact, depth bounded.
 * Field numbers: opentelemetry/proto/trace/v1/trace.proto. Unknown fields are skipped; a known field with
 * another wire type is malformed.
 */
export function decodeProtobuf(bytes: Buffer): OtlpSpan[] {
  const spans: OtlpSpan[] = []
  const reader = new WireReader(bytes)
  while (reader.next()) {
    if (reader.field === 1) readResourceSpans(reader.message(), spans)
    else reader.skip()
  }
  return spans
}

/** `instrumentation_library_spans` and `_logs` of OTLP before 0.15: the same message under another number. */
export const OLDER_SCOPE = 1000

function readResourceSpans(reader: WireReader, spans: OtlpSpan[]): void {
  const resource = emptyAttributes()
  const first = spans.length
  while (reader.next()) {
    // The resource may come after its spans: they share the object, which is complete at the end.
    if (reader.field === 1) readResource(reader.message(), resource)
    else if (reader.field === 2 || reader.field === OLDER_SCOPE)
      readScopeSpans(reader.message(), spans, resource)
    else reader.skip()
  }
  if (spans.length - first > LIMITS.spans || spans.length > LIMITS.spans) {
    throw new MalformedError(`more than ${LIMITS.spans} spans in one request`)
  }
}

export function readResource(reader: WireReader, resource: Attributes): void {
  let count = 0
  while (reader.next()) {
    if (reader.field === 1) readAttribute(reader.message(), resource, ++count)
    else reader.skip()
  }
}

function readScopeSpans(reader: WireReader, spans: OtlpSpan[], resource: Attributes): void {
  while (reader.next()) {
    if (reader.field === 2) spans.push(readSpan(reader.message(), resource))
    else reader.skip()
    if (spans.length > LIMITS.spans)
      throw new MalformedError(`more than ${LIMITS.spans} spans in one request`)
  }
}

function readSpan(reader: WireReader, resource: Attributes): OtlpSpan {
  const span = emptySpan(resource)
  let attributes = 0
  while (reader.next()) {
    switch (reader.field) {
      case 1:
        span.traceId = reader.hex()
        break
      case 2:
        span.spanId = reader.hex()
        break
      case 4:
        span.parentSpanId = reader.hex()
        break
      case 5:
        span.name = cleanText(reader.text())
        break
      case 6:
        span.kind = reader.int32()
        break
      case 7:
        span.startNs = reader.fixed64()
        break
      case 8:
        span.endNs = reader.fixed64()
        break
      case 9:
        readAttribute(reader.message(), span.attributes, ++attributes)
        break
      case 11:
        keep(span, span.events, LIMITS.events, readEvent(reader.message()))
        break
      case 13:
        keep(span, span.links, LIMITS.links, readLink(reader.message()))
        break
      case 15:
        readStatus(reader.message(), span)
        break
      default:
        reader.skip()
    }
  }
  return span
}

export function emptySpan(resource: Attributes): OtlpSpan {
  return {
    traceId: '',
    spanId: '',
    parentSpanId: '',
    name: '',
    kind: 0,
    startNs: 0n,
    endNs: 0n,
    statusCode: 0,
    statusMessage: '',
    attributes: emptyAttributes(),
    events: [],
    links: [],
    resource,
  }
}

export function keep<T>(span: OtlpSpan, list: T[], max: number, item: T): void {
  if (list.length < max) list.push(item)
  else span.attributes['idemscope.truncated'] = true
}

function readEvent(reader: WireReader): OtlpEvent {
  const event: OtlpEvent = { timeNs: 0n, name: '', attributes: emptyAttributes() }
  let attributes = 0
  while (reader.next()) {
    if (reader.field === 1) event.timeNs = reader.fixed64()
    else if (reader.field === 2) event.name = cleanText(reader.text())
    else if (reader.field === 3) readAttribute(reader.message(), event.attributes, ++attributes)
    else reader.skip()
  }
  return event
}

function readLink(reader: WireReader): OtlpLink {
  const link: OtlpLink = { traceId: '', spanId: '', attributes: emptyAttributes() }
  let attributes = 0
  while (reader.next()) {
    if (reader.field === 1) link.traceId = reader.hex()
    else if (reader.field === 2) link.spanId = reader.hex()
    else if (reader.field === 4) readAttribute(reader.message(), link.attributes, ++attributes)
    else reader.skip()
  }
  return link
}

function readStatus(reader: WireReader, span: OtlpSpan): void {
  while (reader.next()) {
    if (reader.field === 2) span.statusMessage = cleanText(reader.text())
    else if (reader.field === 3) span.statusCode = reader.int32()
    else reader.skip()
  }
}

export function readAttribute(reader: WireReader, into: Attributes, count: number, depth = 0): void {
  let name = ''
  let value: AttributeValue = null
  while (reader.next()) {
    if (reader.field === 1) name = reader.name()
    else if (reader.field === 2) value = readValue(reader.message(), depth)
    else reader.skip()
  }
  setAttribute(into, name, value, count)
}

export function readValue(reader: WireReader, depth: number): AttributeValue {
  let value: AttributeValue = null
  while (reader.next()) {
    if (reader.field === 1) value = cleanText(reader.text())
    else if (reader.field === 2) value = reader.int64() !== 0
    else if (reader.field === 3) value = reader.int64()
    else if (reader.field === 4) value = cleanDouble(reader.double())
    else if (reader.field === 5) value = readArray(reader.message(), depth + 1)
    else if (reader.field === 6) value = readMap(reader.message(), depth + 1)
    else if (reader.field === 7) value = reader.base64()
    else reader.skip()
  }
  return value
}

/** What nests deeper than LIMITS.depth is not followed: its bytes are passed over. */
function readArray(reader: WireReader, depth: number): AttributeValue {
  if (depth > LIMITS.depth) return null
  const values: AttributeValue[] = []
  while (reader.next()) {
    if (reader.field === 1 && values.length < LIMITS.elements) values.push(readValue(reader.message(), depth))
    else reader.skip()
  }
  return values
}

function readMap(reader: WireReader, depth: number): AttributeValue {
  if (depth > LIMITS.depth) return null
  const values = emptyAttributes()
  let count = 0
  while (reader.next()) {
    if (reader.field === 1) readAttribute(reader.message(), values, ++count, depth)
    else reader.skip()
  }
  return values
}

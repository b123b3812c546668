/** A value as JSON can carry it; an int64 beyond 2^53 stays a bigint until it is written. */
export type AttributeValue =
  | string
  | number
  | bigint
  | boolean
  | null
  | AttributeValue[]
  | { [name: string]: AttributeValue }
export type Attributes = { [name: string]: AttributeValue }

export type OtlpSpan = {
  /** lower-case hex; any length as sent, checked when it becomes a row */
  traceId: string
  spanId: string
  parentSpanId: string
  name: string
  kind: number
  startNs: bigint
  endNs: bigint
  statusCode: number
  statusMessage: string
  attributes: Attributes
  events: OtlpEvent[]
  links: OtlpLink[]
  /** shared by all spans of one resource */
  resource: Attributes
}
export type OtlpEvent = { timeNs: bigint; name: string; attributes: Attributes }
export type OtlpLink = { traceId: string; spanId: string; attributes: Attributes }

/** Bounds on one span: what is beyond is left out, and the span says so in `idemscope.truncated`. */
export const LIMITS = {
  /** nesting of arrays and maps in one value */
  depth: 8,
  attributes: 256,
  events: 128,
  links: 128,
  /** elements of one array or map value */
  elements: 1024,
  /** characters of one string; 5 MB strings exist */
  text: 16_384,
  /** spans of one request: as many ordinary ones fill 20 MiB, of the smallest it would be half a million */
  spans: 25_000,
} as const

/** The sender's fault: answered with 400 and this message. */
export class MalformedError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'MalformedError'
  }
}

/** What was left out of a request, by reason: answered through partial_success. A warning counts 0. */
export type Rejections = Map<string, number>
/** Senders make reasons up, by what they send. */
const REASONS_MAX = 20

export function reject(rejections: Rejections, reason: string): void {
  const name = rejections.size < REASONS_MAX || rejections.has(reason) ? reason : 'other reasons'
  rejections.set(name, (rejections.get(name) ?? 0) + 1)
}

export function emptyAttributes(): Attributes {
  // No prototype: an attribute may be called __proto__. Filled by name it is also twice as fast as `{}`.
  return Object.create(null) as Attributes
}

/** PostgreSQL holds neither NUL nor lone surrogates. */
const UNSTORABLE = /[\0\p{Surrogate}]/gu
/** Without the u flag: four times as fast, and finds every text that UNSTORABLE may have to mend. */
const SUSPICIOUS = /[\0\ud800-\udfff]/

export function cleanText(text: string, charactersMax: number = LIMITS.text): string {
  const short = text.length > charactersMax ? text.slice(0, charactersMax) : text
  return SUSPICIOUS.test(short) ? short.replace(UNSTORABLE, '\uFFFD') : short
}

export function cleanInteger(value: bigint): number | bigint {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value
}

/** NaN and the infinities as protobuf's JSON writes them. */
export function cleanDouble(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}

/** `name` is clean. The specification forbids duplicates; of two the later one wins, in both encodings. */
export function setAttribute(
  attributes: Attributes,
  name: string,
  value: AttributeValue,
  count: number,
): void {
  if (count <= LIMITS.attributes) attributes[name] = value
  else attributes['idemscope.truncated'] = true
}

import type { AttributeValue, OtlpSpan } from '@/lib/telemetry/decode/span'
import type { Random } from './random'

/** One AnyValue in each of its three forms: for the oracle, for JSON, and as the decoder must read it. */
type Value = { proto: object; json: object; read: AttributeValue }

const TEXTS = ['', 'a', 'ключ', '💳 paid', 'line\nbreak\ttab\\', '__proto__', 'x'.repeat(300)] as const
const INTEGERS = [
  0n,
  1n,
  -1n,
  127n,
  128n,
  2n ** 31n,
  2n ** 53n - 1n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
]

function longOf(value: bigint): object {
  const bits = BigInt.asUintN(64, value)
  return {
    low: Number(BigInt.asIntN(32, bits)),
    high: Number(BigInt.asIntN(32, bits >> 32n)),
    unsigned: false,
  }
}

function safe(value: bigint): AttributeValue {
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value
}

function anyValue(random: Random, depth: number): Value {
  switch (random.below(depth > 0 ? 7 : 5)) {
    case 0: {
      const stringValue = random.pick(TEXTS)
      return { proto: { stringValue }, json: { stringValue }, read: stringValue }
    }
    case 1: {
      const boolValue = random.chance(0.5)
      return { proto: { boolValue }, json: { boolValue }, read: boolValue }
    }
    case 2: {
      const value = random.pick(INTEGERS)
      const asNumber = random.chance(0.5) && typeof safe(value) === 'number'
      return {
        proto: { intValue: longOf(value) },
        json: { intValue: asNumber ? Number(value) : value.toString() },
        read: safe(value),
      }
    }
    case 3: {
      const value = random.pick([0, 1.5, -2.25e-7, 1e300, Number.NaN, Number.POSITIVE_INFINITY])
      const finite = Number.isFinite(value)
      const read = finite ? value : String(value)
      return { proto: { doubleValue: value }, json: { doubleValue: read }, read }
    }
    case 4: {
      const bytes = Buffer.from(random.hex(random.below(40)), 'hex')
      const text = bytes.toString('base64')
      return { proto: { bytesValue: bytes }, json: { bytesValue: text }, read: text }
    }
    case 5: {
      const values = Array.from({ length: random.below(4) }, () => anyValue(random, depth - 1))
      return {
        proto: { arrayValue: { values: values.map((value) => value.proto) } },
        json: { arrayValue: { values: values.map((value) => value.json) } },
        read: values.map((value) => value.read),
      }
    }
    default: {
      const { proto, json, read } = attributes(random, depth - 1)
      return { proto: { kvlistValue: { values: proto } }, json: { kvlistValue: { values: json } }, read }
    }
  }
}

function attributes(random: Random, depth: number) {
  const read: Record<string, AttributeValue> = Object.create(null)
  const proto: object[] = []
  const json: object[] = []
  for (let count = random.below(6); count > 0; count--) {
    // Few names, so that duplicates occur.
    const key = random.pick(['a', 'b', 'http.route', '__proto__', 'ключ', ''])
    const value = anyValue(random, depth)
    proto.push({ key, value: value.proto })
    json.push({ key, value: value.json })
    read[key] = value.read
  }
  return { proto, json, read }
}

export type GeneratedRequest = { proto: object; json: object; spans: OtlpSpan[] }

export function generateRequest(random: Random): GeneratedRequest {
  const spans: OtlpSpan[] = []
  const proto: object[] = []
  const json: object[] = []
  for (let resources = random.below(3); resources > 0; resources--) {
    const resource = attributes(random, 2)
    const scoped = Array.from({ length: random.below(3) }, () =>
      Array.from({ length: random.below(4) }, () => generateSpan(random, resource.read)),
    )
    spans.push(...scoped.flat().map((each) => each.span))
    proto.push({
      resource: { attributes: resource.proto },
      scopeSpans: scoped.map((each) => ({ scope: { name: 'lib' }, spans: each.map((one) => one.proto) })),
      schemaUrl: 'https://example.test/1',
    })
    json.push({
      resource: { attributes: resource.json },
      scopeSpans: scoped.map((each) => ({
        scope: { name: 'lib' },
        spans: each.map((one) => one.json),
        unknown: 1,
      })),
    })
  }
  return { proto: { resourceSpans: proto }, json: { resourceSpans: json }, spans }
}

function generateSpan(random: Random, resource: Record<string, AttributeValue>) {
  const { proto, json, read } = attributes(random, 3)
  const startNs = 1_763_800_000_000_000_000n + BigInt(random.below(1_000_000_000))
  const endNs = startNs + BigInt(random.below(1_000_000_000)) * 7n
  const event = attributes(random, 1)
  const link = attributes(random, 1)
  const ids = {
    traceId: random.hex(16),
    spanId: random.hex(8),
    parentSpanId: random.chance(0.5) ? random.hex(8) : '',
  }
  const linked = { traceId: random.hex(16), spanId: random.hex(8) }
  const name = random.pick(TEXTS)
  const kind = random.below(6)
  const statusCode = random.below(3)
  const span: OtlpSpan = {
    ...ids,
    name,
    kind,
    startNs,
    endNs,
    statusCode,
    statusMessage: 'because',
    attributes: read,
    events: [{ timeNs: startNs, name: 'event', attributes: event.read }],
    links: [{ ...linked, attributes: link.read }],
    resource,
  }
  const bytes = (hex: string) => Buffer.from(hex, 'hex')
  return {
    span,
    proto: {
      traceId: bytes(ids.traceId),
      spanId: bytes(ids.spanId),
      parentSpanId: bytes(ids.parentSpanId),
      traceState: 'k=v',
      flags: 257,
      name,
      kind,
      startTimeUnixNano: longOf(startNs),
      endTimeUnixNano: longOf(endNs),
      attributes: proto,
      droppedAttributesCount: 3,
      events: [
        { timeUnixNano: longOf(startNs), name: 'event', attributes: event.proto, droppedAttributesCount: 1 },
      ],
      links: [
        {
          traceId: bytes(linked.traceId),
          spanId: bytes(linked.spanId),
          traceState: 'x',
          attributes: link.proto,
        },
      ],
      status: { code: statusCode, message: 'because' },
    },
    json: {
      ...ids,
      traceId: random.chance(0.5) ? ids.traceId.toUpperCase() : ids.traceId,
      name,
      kind,
      flags: 257,
      startTimeUnixNano: startNs.toString(),
      endTimeUnixNano: endNs.toString(),
      attributes: json,
      events: [{ timeUnixNano: startNs.toString(), name: 'event', attributes: event.json }],
      links: [{ ...linked, attributes: link.json }],
      status: { code: statusCode, message: 'because' },
    },
  }
}

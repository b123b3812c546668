import { describe, expect, it } from 'vitest'
import { encodeAnswer } from '@/lib/telemetry/decode/answer'
import { decodeJson } from '@/lib/telemetry/decode/json'
import { decodeProtobuf } from '@/lib/telemetry/decode/protobuf'
import { LIMITS, MalformedError, type OtlpSpan } from '@/lib/telemetry/decode/span'
import { decodeRequest, decodeResponse, encodeRequest } from './oracle'
import { Random } from './random'
import { generateRequest } from './requests'

const CASES = 400

/** bigint and prototype-less objects as plain text, so that differences read well. */
const plain = (value: unknown) =>
  JSON.stringify(value, (_name, each) => (typeof each === 'bigint' ? `${each}n` : each), 1)

/** Anything but spans or a MalformedError is a bug. */
function decodeAnyhow(decode: (bytes: Buffer) => OtlpSpan[], bytes: Buffer): OtlpSpan[] | 'malformed' {
  try {
    return decode(bytes)
  } catch (error) {
    if (error instanceof MalformedError) return 'malformed'
    throw error
  }
}

const readJson = (bytes: Buffer) => decodeJson(bytes, new Map())

const field = (number: number, body: Buffer) => {
  const head: number[] = []
  for (const value of [number * 8 + 2, body.length]) {
    let rest = value
    while (rest >= 128) {
      head.push((rest % 128) + 128)
      rest = Math.floor(rest / 128)
    }
    head.push(rest)
  }
  return Buffer.concat([Buffer.from(head), body])
}
const inSpan = (body: Buffer) => field(1, field(2, field(2, body)))

describe('generated requests', () => {
  it(`protobuf: ${CASES} requests of the oracle are read exactly`, () => {
    for (let seed = 0; seed < CASES; seed++) {
      const { proto, spans } = generateRequest(new Random(seed))
      expect(plain(decodeProtobuf(encodeRequest(proto))), `seed ${seed}`).toBe(plain(spans))
    }
  })

  it(`JSON: the same ${CASES} requests`, () => {
    for (let seed = 0; seed < CASES; seed++) {
      const { json, spans } = generateRequest(new Random(seed))
      expect(plain(readJson(Buffer.from(JSON.stringify(json)))), `seed ${seed}`).toBe(plain(spans))
    }
  })
})

describe('hostile protobuf', () => {
  it('every truncation is malformed or a shorter request, as the oracle says', () => {
    const bytes = encodeRequest(generateRequest(new Random(11)).proto)
    for (let length = 0; length < bytes.length; length++) {
      const cut = bytes.subarray(0, length)
      const ours = decodeAnyhow(decodeProtobuf, cut)
      let theirs = true
      try {
        decodeRequest(cut)
      } catch {
        theirs = false
      }
      expect(ours !== 'malformed', `length ${length}`).toBe(theirs)
    }
  })

  it('flipped, removed and added bytes never do worse than malformed', () => {
    const random = new Random(5)
    for (let round = 0; round < 3000; round++) {
      const bytes = Buffer.from(encodeRequest(generateRequest(new Random(round % 50)).proto))
      for (let flips = 1 + random.below(4); flips > 0 && bytes.length > 0; flips--) {
        bytes[random.below(bytes.length)] = random.below(256)
      }
      decodeAnyhow(decodeProtobuf, bytes)
    }
  })

  it('random bytes never do worse than malformed', () => {
    const random = new Random(6)
    for (let round = 0; round < 2000; round++)
      decodeAnyhow(decodeProtobuf, Buffer.from(random.hex(random.below(200)), 'hex'))
  })

  it('unknown fields of every wire type are skipped', () => {
    const unknown = Buffer.concat([
      Buffer.from([0x98, 0x06, 0xff, 0x01]), // field 99, varint
      Buffer.from([0x99, 0x06, 1, 2, 3, 4, 5, 6, 7, 8]), // fixed64
      Buffer.from([0x9a, 0x06, 2, 7, 7]), // bytes
      Buffer.from([0x9d, 0x06, 1, 2, 3, 4]), // fixed32
    ])
    const body = Buffer.concat([unknown, field(5, Buffer.from('named')), unknown])
    expect(decodeProtobuf(Buffer.concat([unknown, inSpan(body), unknown]))).toMatchObject([{ name: 'named' }])
  })

  it('a known field of another wire type, field 0 and groups are malformed', () => {
    expect(() => decodeProtobuf(inSpan(Buffer.from([0x28, 1])))).toThrow(MalformedError)
    expect(() => decodeProtobuf(Buffer.from([0x00, 1]))).toThrow(MalformedError)
    expect(() => decodeProtobuf(inSpan(Buffer.from([0x9b, 0x06])))).toThrow(MalformedError)
    expect(() => decodeProtobuf(inSpan(Buffer.from([0x30, ...Array(11).fill(0xff)])))).toThrow(MalformedError)
  })

  it('nesting two thousand deep is passed over, not followed', () => {
    let value = field(1, Buffer.from('deep'))
    for (let depth = 0; depth < 2000; depth++) value = field(5, field(1, value))
    const attribute = field(9, Buffer.concat([field(1, Buffer.from('k')), field(2, value)]))
    let read = decodeProtobuf(inSpan(attribute))[0]?.attributes.k
    let depth = 0
    while (Array.isArray(read)) {
      read = read[0]
      depth += 1
    }
    expect({ depth, read }).toEqual({ depth: LIMITS.depth, read: null })
  })

  it('long strings are cut, invalid UTF-8 and NUL are replaced', () => {
    const text = (bytes: Buffer) => decodeProtobuf(inSpan(field(5, bytes)))[0]?.name
    expect(text(Buffer.alloc(5_000_000, 'x'))).toHaveLength(LIMITS.text)
    expect(text(Buffer.from([0x61, 0xff, 0xfe, 0x62]))).toBe('a\uFFFD\uFFFDb')
    expect(text(Buffer.from('a\0b'))).toBe('a\uFFFDb')
    expect(text(Buffer.from(`x${'😀'.repeat(LIMITS.text)}`))).not.toMatch(/\p{Surrogate}/u)
  })

  it('too many attributes, events and links are left out, and the span says so', () => {
    const attribute = (name: number) => field(9, field(1, Buffer.from(`k${name}`)))
    const body = Buffer.concat([
      ...Array.from({ length: 1000 }, (_, index) => attribute(index)),
      ...Array.from({ length: 1000 }, () => field(11, Buffer.alloc(0))),
    ])
    const [span] = decodeProtobuf(inSpan(body))
    expect(Object.keys(span?.attributes ?? {})).toHaveLength(LIMITS.attributes + 1)
    expect(span?.events).toHaveLength(LIMITS.events)
    expect(span?.attributes['idemscope.truncated']).toBe(true)
  })

  it('more spans than the limit are refused', () => {
    const many = field(1, field(2, Buffer.concat(Array(LIMITS.spans + 1).fill(Buffer.from([0x12, 0x00])))))
    expect(() => decodeProtobuf(many)).toThrow(/more than/)
  })
})

describe('hostile JSON', () => {
  const inJson = (span: string) => Buffer.from(`{"resourceSpans":[{"scopeSpans":[{"spans":[${span}]}]}]}`)

  it.each([
    ['', 'not JSON'],
    ['null', 'null'],
    ['[]', 'an array'],
    ['{"resourceSpans":{}}', 'an object for a list'],
    ['{"resourceSpans":[null]}', 'null in a list'],
    ['{"resourceSpans":[{"scopeSpans":[{"spans":{}}]}]}', 'an object for spans'],
  ])('%s is malformed (%s)', (body) => {
    expect(() => readJson(Buffer.from(body))).toThrow(MalformedError)
  })

  it.each([
    '7',
    '{"traceId":5}',
    '{"traceId":"zz"}',
    '{"startTimeUnixNano":"1.5"}',
    '{"startTimeUnixNano":{}}',
    '{"kind":"SPAN_KIND_OTHER"}',
    '{"attributes":{"a":1}}',
    '{"attributes":[{"key":"a","value":{"intValue":"x"}}]}',
    '{"attributes":[{"key":"a","value":{"doubleValue":"x"}}]}',
  ])('a span that cannot be read (%s) is left out with its reason, the next one is read', (span) => {
    const rejections = new Map<string, number>()
    expect(decodeJson(inJson(`${span},{"name":"next"}`), rejections).map(({ name }) => name)).toEqual([
      'next',
    ])
    expect([...rejections.values()]).toEqual([1])
    expect([...rejections.keys()][0]).toMatch(/^json: \S+ (must be|has no value)/)
  })

  it('names as in the .proto file, enums by name and the older name of a scope are read alike', () => {
    const value = { string_value: 'x', int_value: null }
    const snake = {
      resource_spans: [
        {
          resource: { attributes: [{ key: 'service.name', value: { string_value: 'billing' } }] },
          instrumentation_library_spans: [
            {
              spans: [
                {
                  trace_id: 'AB',
                  span_id: 'cd',
                  parent_span_id: 'ef',
                  kind: 'SPAN_KIND_SERVER',
                  start_time_unix_nano: '5',
                  end_time_unix_nano: 7,
                  attributes: [
                    { key: 'a', value },
                    {
                      key: 'm',
                      value: { kvlist_value: { values: [{ key: 'i', value: { int_value: '3' } }] } },
                    },
                    {
                      key: 'l',
                      value: { array_value: { values: [{ bool_value: true }, { double_value: 0.5 }] } },
                    },
                  ],
                  events: [{ time_unix_nano: '6', name: 'e' }],
                  links: [{ trace_id: '12', span_id: '34' }],
                  status: { code: 'STATUS_CODE_ERROR', message: 'no' },
                },
              ],
            },
          ],
        },
      ],
    }
    const camel = JSON.parse(
      JSON.stringify(snake)
        .replaceAll(
          /"([a-z_]+)":/g,
          (_, name: string) => `"${name.replaceAll(/_([a-z])/g, (__, c) => c.toUpperCase())}":`,
        )
        .replace('SPAN_KIND_SERVER', '2')
        .replace('"STATUS_CODE_ERROR"', '2')
        .replace('instrumentationLibrarySpans', 'scopeSpans'),
    )
    const read = (body: unknown) => readJson(Buffer.from(JSON.stringify(body)))
    expect(read(snake)).toMatchObject([
      {
        traceId: 'ab',
        parentSpanId: 'ef',
        kind: 2,
        startNs: 5n,
        endNs: 7n,
        statusCode: 2,
        resource: { 'service.name': 'billing' },
      },
    ])
    expect(plain(read(snake))).toBe(plain(read(camel)))
  })

  it('nesting, lone surrogates, NUL, long strings', () => {
    const deep = `${'{"arrayValue":{"values":['.repeat(3000)}{"boolValue":true}${']}}'.repeat(3000)}`
    const spans = readJson(inJson(`{"name":"a\\ud800\\u0000b","attributes":[{"key":"d","value":${deep}}]}`))
    expect(spans[0]?.name).toBe('a\uFFFD\uFFFDb')
    expect(JSON.stringify(spans[0]?.attributes).length).toBeLessThan(60)
  })

  it('integers beyond 2^53 that were sent as numbers keep every digit', () => {
    const attributes = [
      '{"key":"i","value":{"intValue":-9223372036854775807}}',
      '{"key":"d","value":{"doubleValue":12345678901234567890}}',
      '{"key":"f","value":{"doubleValue":0.1234567890123456789}}',
      '{"key":"t\\\\\\"","value":{"stringValue":"1234567890123456789, \\" 1234567890123456789"}}',
    ]
    const [span] = readJson(
      inJson(
        `{"startTimeUnixNano":1763812800123456789,"endTimeUnixNano": 1763812800123456790 ,"attributes":[${attributes}]}`,
      ),
    )
    expect([span?.startNs, span?.endNs]).toEqual([1763812800123456789n, 1763812800123456790n])
    expect(plain(span?.attributes)).toBe(
      plain({
        i: -9223372036854775807n,
        d: Number('12345678901234567890'),
        f: Number('0.1234567890123456789'),
        't\\"': '1234567890123456789, " 1234567890123456789',
      }),
    )
    const long = `{"name":"${'\\\\'.repeat(500_000)}","startTimeUnixNano":1763812800123456789}`
    expect(readJson(inJson(long))[0]?.startNs).toBe(1763812800123456789n)
  })

  it('mutated bodies never do worse than malformed', () => {
    const random = new Random(9)
    for (let round = 0; round < 1000; round++) {
      const bytes = Buffer.from(JSON.stringify(generateRequest(new Random(round % 40)).json))
      for (let flips = 1 + random.below(3); flips > 0; flips--)
        bytes[random.below(bytes.length)] = random.below(128)
      decodeAnyhow(readJson, bytes)
    }
  })
})

describe('answers', () => {
  it('partial_success is what the oracle reads', () => {
    expect(decodeResponse(encodeAnswer('protobuf', new Map()))).toEqual({})
    expect(decodeResponse(encodeAnswer('protobuf', new Map([['späte', 300]])))).toEqual({
      partialSuccess: { rejectedSpans: '300', errorMessage: '300 × späte' },
    })
    expect(decodeResponse(encodeAnswer('protobuf', new Map([['nothing found', 0]])))).toEqual({
      partialSuccess: { errorMessage: 'nothing found' },
    })
    const two = new Map([
      ['late', 2],
      ['early', 1],
    ])
    expect(JSON.parse(encodeAnswer('json', two).toString())).toEqual({
      partialSuccess: { rejectedSpans: '3', errorMessage: '2 × late; 1 × early' },
    })
  })
})

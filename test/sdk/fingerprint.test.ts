import { createHash, createHmac } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { canonicalizeJson } from '@/sdk/fingerprint/canonical-json'
import { fingerprintRequest } from '@/sdk/fingerprint/fingerprint'
import { formatIdempotencyKey, parseIdempotencyKey } from '@/sdk/idempotency-key'
import { deriveProviderKey, hashKey } from '@/sdk/key-hash'
import { scopeName } from '@/sdk/keys/scope'

const asBytes = (body: string | Uint8Array) =>
  typeof body === 'string' ? new TextEncoder().encode(body) : body

/** In hex, as of a POST to one path. */
function fingerprint(
  body: string | Uint8Array | readonly number[],
  type = 'application/json',
  headers: Record<string, string> = {},
): string {
  const request = new Request('http://service.test/v1/payments', {
    method: 'POST',
    headers: { 'content-type': type, ...headers },
  })
  const bytes = asBytes(typeof body === 'string' || body instanceof Uint8Array ? body : Uint8Array.from(body))
  return Buffer.from(fingerprintRequest(request, bytes)).toString('hex')
}

const latin1 = (text: string) => Uint8Array.from(Buffer.from(text, 'latin1'))

describe('canonical JSON (RFC 8785)', () => {
  it('writes the example of section 3.2.2', () => {
    const input = String.raw`{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }`
    expect(canonicalizeJson(input)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        String.raw`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('sorts as the example of section 3.2.3', () => {
    const input = String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",
      "1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}`
    expect(Object.values(JSON.parse(canonicalizeJson(input) ?? '') as object)).toEqual([
      'One',
      'Carriage Return',
      'Control',
      'Latin Small Letter O With Diaeresis',
      'Euro Sign',
      'Emoji: Grinning Face',
      'Hebrew Letter Dalet With Dagesh',
    ])
    // An object of JavaScript puts numbers first whatever its text says; only the text shows the order.
    expect(canonicalizeJson(input)).toMatch(/^\{"\\r":.*"1":.*"\u0080"/)
  })

  // Appendix B: the bits of a double, and how it is written.
  it.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['8000000000000001', '-5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['ffefffffffffffff', '-1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['c340000000000000', '-9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['44b52d02c7e14af6', '1e+23'],
    ['44b52d02c7e14af7', '1.0000000000000001e+23'],
    ['444b1ae4d6e2ef4e', '999999999999999700000'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['444b1ae4d6e2ef50', '1e+21'],
    ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555553', '333333333.3333332'],
    ['41b3de4355555554', '333333333.33333325'],
    ['41b3de4355555555', '333333333.3333333'],
    ['41b3de4355555556', '333333333.3333334'],
    ['41b3de4355555557', '333333333.33333343'],
    ['becbf647612f3696', '-0.0000033333333333333333'],
    ['43143ff3c1cb0959', '1424953923781206.2'],
  ])('writes the double %s as %s', (bits, text) => {
    const value = Buffer.from(bits, 'hex').readDoubleBE()
    expect(canonicalizeJson(text)).toBe(text)
    expect(Number(text)).toBe(value === 0 ? 0 : value)
    expect(canonicalizeJson(value.toExponential())).toBe(text)
  })

  it.each([
    ['{"a":1,"b":2}', '{ "b" : 2, "a" : 1 }'],
    ['[1.0,1e2,-0]', '[1,100,0]'],
    ['1e15', '1000000000000000'],
    ['12345678901234567000', '12345678901234567e3'],
    ['"\\u0041\\/"', '"A/"'],
    ['{"a":{"z":[{"y":1,"x":2}]}}', '{"a":{"z":[{"x":2,"y":1}]}}'],
    ['{"__proto__":1,"a":2}', '{"a":2,"__proto__":1}'],
  ])('%s is %s', (one, other) => {
    expect(canonicalizeJson(one)).not.toBeNull()
    expect(fingerprint(one)).toBe(fingerprint(other))
  })

  it.each([
    '',
    '{',
    '{"a":}',
    'undefined',
    `${'['.repeat(5000)}${']'.repeat(5000)}`,
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":1}',
    '[{"b":{"c":1,"c":2}}]',
    '1e400',
    '-1e400',
    '1e-400',
    '9007199254740993',
    '3.141592653589793238462643383279',
    '"\\ud800"',
    '{"\\udc00":1}',
    '\ufeff{}',
  ])('has no canonical form outside I-JSON: %.30s', (text) => {
    expect(canonicalizeJson(text)).toBeNull()
  })
})

describe('different requests have different fingerprints', () => {
  it.each([
    ['[1,2]', '[2,1]'],
    ['{"a":1}', '{"a":"1"}'],
    ['{"a":null}', '{}'],
    ['1e400', 'null'],
    ['1e400', '2e400'],
    ['1e-400', '0'],
    ['3e-324', '5e-324'],
    ['{"a":1,"a":2}', '{"a":2}'],
    ['{"a":1,"a":2}', '{"a":3,"a":2}'],
    ['{"\\u0000number":"12345678901234567890"}', '12345678901234567890'],
    ['9007199254740993', '9007199254740992'],
    ['0.9007199254740993e16', '9007199254740992'],
    ['0.1234567890123456789', '0.1234567890123456788'],
    // One double each, and two amounts for whoever reads decimals.
    ['99999999999999.98', '99999999999999.99'],
    ['1234567890123456.7', '1234567890123456.8'],
    ['4503599627370496.1', '4503599627370496.4'],
    ['4503599627370496.1', '4503599627370496'],
    ['{"a":12345678901234567890}', '{"a":"12345678901234567890"}'],
    ['"12345678901234567890"', '"12345678901234567891"'],
    ['"\\ud800"', '"\\ufffd"'],
    ['{"a":1}', ' {"a":1'],
  ])('%s and %s', (one, other) => {
    expect(fingerprint(one)).not.toBe(fingerprint(other))
  })

  it('that are not UTF-8', () => {
    expect(fingerprint(latin1('{"name":"Zoë"}'))).not.toBe(fingerprint(latin1('{"name":"Zoé"}')))
    expect(fingerprint('"ä"', 'application/json; charset=utf-16')).not.toBe(fingerprint('"ä"'))
  })

  it.each([
    ['text/plain', 'application/octet-stream'],
    ['application/json', 'application/vnd.api+json'],
    ['application/vnd.api+json; version=1', 'application/vnd.api+json; version=2'],
    ['text/plain; charset=latin1', 'text/plain'],
    ['multipart/form-data; boundary=a', 'multipart/mixed; boundary=a'],
  ])('by their type: %s and %s', (one, other) => {
    expect(fingerprint('{}', one)).not.toBe(fingerprint('{}', other))
  })

  it('by their coding, and by being a document or its bytes', () => {
    expect(fingerprint('{}', 'application/json', { 'content-encoding': 'gzip' })).not.toBe(fingerprint('{}'))
    expect(fingerprint('{"a":1}', 'text/plain')).not.toBe(fingerprint('{ "a":1}', 'text/plain'))
  })
})

describe('one request has one fingerprint', () => {
  it.each([
    ['application/json', 'application/json; charset=utf-8'],
    ['application/json', 'Application/JSON;charset="UTF-8"'],
    ['application/vnd.api+json; a=1; b="2"', 'application/vnd.api+json;B=2;A=1'],
    ['text/plain', 'text/plain; charset=UTF-8'],
  ])('whether its type is %s or %s', (one, other) => {
    expect(fingerprint('{"a":1}', one)).toBe(fingerprint('{"a":1}', other))
  })

  it.each(['application/json', 'text/json', 'application/problem+json', 'model/gltf+json'])(
    'in any spelling of its JSON, as %s',
    (type) => {
      expect(fingerprint('{"a":1,"b":[]}', type)).toBe(fingerprint('{ "b": [], "a": 1.0 }', type))
    },
  )

  it('without a body, whatever type it is said to have', () => {
    expect(fingerprint('', 'application/json')).toBe(fingerprint('', 'text/plain'))
  })
})

describe('a form', () => {
  const form = (body: string | Uint8Array) => fingerprint(body, 'application/x-www-form-urlencoded')

  it.each([
    ['a=1&b=2', 'b=2&a=1'],
    ['a=x+y~', 'a=x%20y%7E'],
    ['a=%c3%ab', 'a=ë'],
    ['a&b=', 'b&a='],
    ['a=1&&b=2&', 'a=1&b=2'],
  ])('%s is %s', (one, other) => {
    expect(form(one)).toBe(form(other))
  })

  it.each([
    ['a=1', 'a=2'],
    ['a=1&a=2', 'a=2&a=1'],
    ['a=1&a=2', 'a=2'],
    ['a=1', 'a[]=1'],
    ['a=1', 'a=1&b='],
    ['a=b%26c=1', 'a=b&c=1'],
    ['i[][x]=1&i[][y]=1&i[][x]=2&i[][y]=2', 'i[][x]=1&i[][x]=2&i[][y]=1&i[][y]=2'],
    ['{"a":"1"}', 'a=1'],
  ])('%s is not %s', (one, other) => {
    expect(form(one)).not.toBe(form(other))
  })

  it('is compared by the bytes of its fields, in whatever charset they are', () => {
    expect(form('a=%EB')).not.toBe(form('a=%E9'))
    expect(form(latin1('a=ë'))).toBe(form('a=%EB'))
  })
})

describe('an upload', () => {
  /** As fetch sends it, under a boundary of its own. */
  async function upload(fill: (data: FormData) => void): Promise<string> {
    const data = new FormData()
    fill(data)
    const request = new Request('http://service.test/v1/payments', { method: 'POST', body: data })
    return Buffer.from(
      fingerprintRequest(request.clone(), new Uint8Array(await request.arrayBuffer())),
    ).toString('hex')
  }

  const file = (content: string | Uint8Array<ArrayBuffer>, type = 'application/pdf') =>
    new Blob([content], { type })
  const sent = (data: FormData) => {
    data.append('order', '7')
    data.append('invoice', file(Uint8Array.of(0, 13, 10, 45, 45, 255)), 'a.pdf')
    data.append('note', 'two\r\nlines')
  }

  it('is the same under another boundary', async () => {
    expect(await upload(sent)).toBe(await upload(sent))
  })

  const rename = (data: FormData) => {
    data.delete('note')
    data.append('remark', 'two\r\nlines')
  }

  it.each<[string, (data: FormData) => void]>([
    ['another value', (data) => data.set('order', '8')],
    ['another name', rename],
    ['another filename', (data) => data.set('invoice', file(Uint8Array.of(0, 13, 10, 45, 45, 255)), 'b.pdf')],
    [
      'another type',
      (data) => data.set('invoice', file(Uint8Array.of(0, 13, 10, 45, 45, 255), 'image/png'), 'a.pdf'),
    ],
    ['another byte', (data) => data.set('invoice', file(Uint8Array.of(0, 13, 10, 45, 45, 254)), 'a.pdf')],
    ['a part more', (data) => data.append('order', '7')],
    ['a part less', (data) => data.delete('note')],
  ])('differs by %s', async (_, change) => {
    const other = await upload((data) => {
      sent(data)
      change(data)
    })
    expect(other).not.toBe(await upload(sent))
  })

  const raw = (body: string, boundary = 'b') =>
    fingerprint(body.replaceAll('\n', '\r\n'), `multipart/form-data; boundary="${boundary}"`)

  it('is read as RFC 2046 says', () => {
    const headed = '--b\nX-A: 1\n\nbody\n--b\n\nno headers\n--b\nEmpty: 1\n\n\n--b--\n'
    expect(raw(headed)).toBe(raw(headed.replaceAll('--b', '--other'), 'other'))
  })

  it.each([
    ['text before its parts', 'pay 10\n--b\n\n1\n--b--', 'pay 99\n--b\n\n1\n--b--'],
    ['text after its parts', '--b\n\n1\n--b--\npay 10', '--b\n\n1\n--b--\npay 99'],
    ['no end', '--b\n\n1\n--b\n\n10', '--b\n\n1\n--b\n\n99'],
    ['no parts at all', 'pay 10', 'pay 99'],
    ['a part without an end of its headers', '--b\nA: 10\n--b--', '--b\nA: 99\n--b--'],
    ['a boundary that only begins alike', '--b\n\n1\n--bb\n10\n--b--', '--b\n\n1\n--bb\n99\n--b--'],
  ])('is compared by its bytes when it has %s', (_, one, other) => {
    expect(raw(one)).not.toBe(raw(other))
    expect(raw(one)).not.toBe(raw(one.replaceAll('--b', '--c'), 'c'))
  })
})

it('formats keys that it parses again', () => {
  for (const key of [
    'a',
    'with space',
    'quote " and \\',
    '8e03978e-40d5-43dd-bc93-6894a57f9324',
    'k'.repeat(255),
  ]) {
    expect(parseIdempotencyKey(formatIdempotencyKey(key))).toEqual({ kind: 'key', key })
  }
  expect(() => formatIdempotencyKey('')).toThrow(RangeError)
  expect(() => formatIdempotencyKey('k'.repeat(256))).toThrow(RangeError)
})

it('hashes keys as the console does, and derives the provider’s key from scope, key and step alone', () => {
  expect(hashKey('secret', 'key')).toBe(
    createHmac('sha256', 'secret').update('key').digest('hex').slice(0, 32),
  )
  const derived = deriveProviderKey('web/POST /p', 'k', 'charge')
  expect(derived).toBe(
    createHash('sha256').update('["idemscope",1,"web/POST /p","k","charge"]').digest('hex'),
  )
  expect(derived).not.toBe(deriveProviderKey('web/POST /p', 'kc', 'harge'))
})

it('names a scope that can be read one way only', () => {
  expect(scopeName('POST', { caller: 'web', route: '/v1/payments/{id}' })).toBe('web/POST /v1/payments/{id}')
  for (const parts of [
    { caller: 'a/b', route: '/x' },
    { caller: '', route: '/x' },
    { caller: 'a b', route: '/x' },
    { caller: 'a', route: 'x' },
    { caller: 'a', route: '/x y' },
  ]) {
    expect(() => scopeName('POST', parts)).toThrow(TypeError)
  }
})

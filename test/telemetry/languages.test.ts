import { describe, expect, it, test } from 'vitest'
import type { Attributes, OtlpSpan } from '@/lib/telemetry/decode/span'
import { meaningOf } from '@/lib/telemetry/interpret/names'
import { readRequest } from '@/lib/telemetry/interpret/request'

// What instrumentations of other languages send when they are set up as docs/guides/other-languages.md says.

const read = (attributes: Attributes) => {
  const span: OtlpSpan = {
    traceId: 'a'.repeat(32),
    spanId: 'b'.repeat(16),
    parentSpanId: '',
    name: 'POST',
    kind: 2,
    startNs: 0n,
    endNs: 1n,
    statusCode: 0,
    statusMessage: '',
    attributes,
    events: [],
    links: [],
    resource: {},
  }
  return readRequest(span, (key) => `hash of ${key}`)
}

const STABLE = {
  'http.request.method': 'POST',
  'http.route': '/v1/payments',
  'http.response.status_code': 201,
}
/** Before the conventions of HTTP were stable. */
const OLD = { 'http.method': 'POST', 'http.route': '/v1/payments', 'http.status_code': 201 }

describe('a captured key is the same key, whatever the language', () => {
  it.each<[string, Attributes]>([
    ['Java agent 2', { ...STABLE, 'http.request.header.idempotency-key': ['pay-1'] }],
    ['Java agent 1', { ...OLD, 'http.request.header.idempotency_key': ['pay-1'] }],
    ['Python, WSGI and ASGI', { ...OLD, 'http.request.header.idempotency_key': ['pay-1'] }],
    ['Python, by hand from the WSGI environment', { ...OLD, HTTP_IDEMPOTENCY_KEY: 'pay-1' }],
    ['Go, by hand', { ...STABLE, 'http.request.header.idempotency-key': ['pay-1'] }],
    ['Go, with the canonical name', { ...STABLE, 'http.request.header.Idempotency-Key': ['pay-1'] }],
    ['.NET, auto', { ...STABLE, 'http.request.header.idempotency-key': ['pay-1'] }],
    ['.NET, enriched', { ...STABLE, 'http.request.header.idempotency-key': 'pay-1' }],
    ['PHP', { ...STABLE, 'http.request.header.idempotency-key': ['pay-1'] }],
    ['PHP, by hand from $_SERVER', { ...STABLE, HTTP_IDEMPOTENCY_KEY: 'pay-1' }],
    ['PHP, all headers in a map', { ...STABLE, 'http.request.header': { 'idempotency-key': ['pay-1'] } }],
    ['Ruby, Rack', { ...OLD, 'http.request.header.idempotency_key': 'pay-1' }],
    ['Ruby, an older Rack', { ...OLD, 'http.request.headers.idempotency_key': 'pay-1' }],
    ['Node', { ...OLD, 'http.request.header.idempotency_key': ['pay-1'] }],
    ['Datadog', { ...OLD, 'http.request.headers.idempotency-key': 'pay-1' }],
    ['nginx', { ...STABLE, http_idempotency_key: 'pay-1' }],
    ['headers in a map', { ...STABLE, 'http.request.headers': { 'Idempotency-Key': 'pay-1' } }],
    ['a list as a text', { ...STABLE, 'http.request.header.idempotency-key': '["pay-1"]' }],
    ['the structured field', { ...STABLE, 'http.request.header.idempotency-key': ['"pay-1"'] }],
    ['with a parameter', { ...STABLE, 'http.request.header.idempotency-key': ['"pay-1";v=1'] }],
    [
      'the structured field in a list as a text',
      { ...STABLE, 'http.request.header.idempotency-key': '["\\"pay-1\\""]' },
    ],
  ])('%s', (_, attributes) => {
    expect(read(attributes)).toMatchObject({
      keyHash: 'hash of pay-1',
      endpoint: 'POST /v1/payments',
      statusCode: 201,
      outcome: 'observed',
    })
  })

  it('and what looks like a list or a string, and is none, is itself', () => {
    const keyOf = (key: string) => read({ ...STABLE, 'http.request.header.idempotency-key': key })?.keyHash
    expect([keyOf('["open'), keyOf('a"b'), keyOf('"a\\"b"')]).toEqual([
      'hash of ["open',
      'hash of a"b',
      'hash of a"b',
    ])
  })
})

test.each([
  'HTTP_IDEMPOTENCY_KEY',
  'http.header.idempotency-key',
  'http.server.request.header.idempotency_key',
])('%s holds a raw key, which is not stored', (name) => {
  expect(meaningOf(name)).toBe('raw key')
})

test.each(['http.response.header.idempotency-key-seen', 'idempotency.key', 'my.idempotency.keys', 'http'])(
  '%s is none',
  (name) => {
    expect(meaningOf(name)).toBeNull()
  },
)

test('what a service sets by hand, as the guide says', () => {
  expect(
    read({
      ...STABLE,
      'idempotency.key.hash': 'c'.repeat(32),
      'idempotency.scope.name': 'web/POST /v1/payments',
      'idempotency.outcome': 'replayed',
      'idempotency.store.system': 'postgresql',
      'idempotency.store.operations': 1,
      'idempotency.store.errors': 0,
    }),
  ).toMatchObject({
    keyHash: 'c'.repeat(32),
    client: 'web',
    endpoint: 'POST /v1/payments',
    outcome: 'replayed',
    storeOperations: 1,
  })
})

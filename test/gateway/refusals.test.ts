import { describe, expect, test } from 'vitest'
import { canonicalPath } from '@/gateway/routes/path'
import { settingsFor } from './gateway-fixture'
import { openWorld, sendRaw } from './gateway-world'

const { upstream, gateway } = await openWorld((store, url) =>
  settingsFor(
    store,
    url,
    {},
    { limits: { headers: '2KiB', headersTimeout: '300ms', requestTimeout: '500ms' } },
  ),
)

const raw = (bytes: string) => sendRaw(gateway.port, bytes)

const HEAD = 'POST /v1/payments HTTP/1.1\r\nhost: g\r\nconnection: close\r\n'
const KEY = 'idempotency-key: k1\r\n'

test.each([
  ['two lengths', `${HEAD}${KEY}content-length: 2\r\ncontent-length: 3\r\n\r\n{} `, 400],
  [
    'a length and chunks',
    `${HEAD}${KEY}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
  ],
  ['chunks under another name', `${HEAD}${KEY}transfer-encoding: xchunked\r\n\r\n0\r\n\r\n`, 400],
  ['chunks that are not last', `${HEAD}${KEY}transfer-encoding: chunked, identity\r\n\r\n0\r\n\r\n`, 400],
  ['a space before the colon', `${HEAD}${KEY}content-length : 2\r\n\r\n{}`, 400],
  ['a folded header', `${HEAD}${KEY}x-a: b\r\n c\r\ncontent-length: 2\r\n\r\n{}`, 400],
  ['a NUL in a value', `${HEAD}${KEY}x-a: b\0c\r\ncontent-length: 2\r\n\r\n{}`, 400],
  ['a bare CR in a value', `${HEAD}${KEY}x-a: b\rc\r\ncontent-length: 2\r\n\r\n{}`, 400],
  ['a length that is none', `${HEAD}${KEY}content-length: +2\r\n\r\n{}`, 400],
  ['a chunk size that is none', `${HEAD}${KEY}transfer-encoding: chunked\r\n\r\n0x2\r\n{}\r\n0\r\n\r\n`, 400],
  ['two hosts', `${HEAD}host: other\r\n${KEY}content-length: 2\r\n\r\n{}`, 400],
  ['no host', 'POST /v1/payments HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n', 400],
  [
    'a host that is none',
    `POST /v1/payments HTTP/1.1\r\nhost: a b\r\n${KEY}connection: close\r\ncontent-length: 0\r\n\r\n`,
    400,
  ],
  ['two keys', `${HEAD}${KEY}idempotency-key: k2\r\ncontent-length: 2\r\n\r\n{}`, 400],
  ['two keys in one header', `${HEAD}idempotency-key: "k1", "k2"\r\ncontent-length: 2\r\n\r\n{}`, 400],
  ['two callers', `${HEAD}authorization: a\r\nauthorization: b\r\n${KEY}content-length: 2\r\n\r\n{}`, 400],
  ['too many headers', `${HEAD}${KEY}x-a: ${'a'.repeat(4_000)}\r\ncontent-length: 2\r\n\r\n{}`, 431],
  ['CONNECT', 'CONNECT upstream:80 HTTP/1.1\r\nhost: upstream:80\r\n\r\n', 405],
  ['TRACE', 'TRACE /v1/payments HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n', 405],
  [
    'a WebSocket',
    'GET /v1/payments/1 HTTP/1.1\r\nhost: g\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n',
    501,
  ],
  ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['a head that does not come', 'POST /v1/payments HTTP/1.1\r\nhost:', 408],
  ['a body that does not come', `${HEAD}${KEY}content-length: 20\r\n\r\n{`, 408],
])('refuses %s', async (_, bytes, status) => {
  const answer = await raw(bytes)
  expect(answer.split('\r\n')[0]).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
  expect(answer).toContain('"type":"urn:idemscope:problem:')
  expect(upstream.received).toHaveLength(0)
  // One answer: what came behind was not taken for a request.
  expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1)
})

test('an offer of HTTP/2 is passed over', async () => {
  const offered = await raw(
    'GET /v1/payments/1 HTTP/1.1\r\nhost: g\r\nconnection: close, upgrade, http2-settings\r\nupgrade: h2c\r\nhttp2-settings: AAA\r\n\r\n',
  )
  expect(offered).toMatch(/^HTTP\/1\.1 201 /)
  expect(upstream.received.at(-1)?.raw).not.toMatch(/h2c|http2/i)
})

test('the absolute form is the path that it names', async () => {
  expect(
    await raw('GET http://elsewhere/v1/payments/9 HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n'),
  ).toMatch(/^HTTP\/1\.1 201 /)
  expect(upstream.received.at(-1)?.path).toBe('/v1/payments/9')
})

describe('a path is matched as what it means, or refused', () => {
  test.each([
    ['/v1/payments', '/v1/payments'],
    ['/v1/pa%79ments', '/v1/payments'],
    ['/v1/%7euser', '/v1/~user'],
    ['/a%c3%a9', '/a%C3%A9'],
    ['/v1/payments/', '/v1/payments/'],
    ['/v1//payments', null],
    ['/v1/./payments', null],
    ['/v1/x/../payments', null],
    ['/v1/x/%2e%2e/payments', null],
    ['/v1/x/..;a=1/payments', null],
    ['/v1%2fpayments', null],
    ['/v1%5Cpayments', null],
    ['/v1\\payments', null],
    ['/v1/payments%00', null],
    ['/v1/%zz', null],
    ['/v1/%', null],
    ['*', null],
    ['', null],
  ])('%s', (path, expected) => {
    expect(canonicalPath(path)).toBe(expected)
  })

  test('over HTTP, so that no way leads around a route', async () => {
    const before = upstream.received.length
    for (const path of [
      '/open/../v1/payments',
      '/open/%2e%2e/v1/payments',
      '//v1/payments',
      '/v1/payments%2f',
    ])
      expect(
        await raw(`POST ${path} HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`),
      ).toMatch(/^HTTP\/1\.1 400 [\s\S]*ambiguous-path/)
    expect(upstream.received).toHaveLength(before)
  })
})

import { randomUUID } from 'node:crypto'
import http from 'node:http'
import { connect } from 'node:net'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { pay, settingsFor } from './gateway-fixture'
import { openWorld } from './gateway-world'
import { headerOf } from './socket-upstream'

const { upstream, gateway } = await openWorld(
  (store, url) => settingsFor(store, url, { requestBytes: '1KiB' }),
  { kind: 'answer', status: 201 },
)

type Raw = { status: number; headers: http.IncomingHttpHeaders; body: Buffer }

/** Without a client that inflates or normalizes anything. */
const send = (
  method: string,
  path: string,
  { headers = {}, body = '' }: { headers?: http.OutgoingHttpHeaders; body?: string | Buffer } = {},
): Promise<Raw> =>
  new Promise((resolve, reject) => {
    const request = http.request(gateway.url + path, { method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk) => chunks.push(chunk))
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      )
    })
    request.on('error', reject)
    request.end(body)
  })

const payRaw = (key: string) =>
  send('POST', '/v1/payments', {
    headers: { 'idempotency-key': key, 'content-type': 'application/json' },
    body: '{}',
  })

describe('a compressed answer is replayed byte for byte', () => {
  const text = JSON.stringify({ id: 'pay_1', text: 'x'.repeat(10_000) })
  test.each([
    ['gzip', gzipSync(text)],
    ['br', brotliCompressSync(text)],
    // The gateway has no word in what is none.
    ['gzip', gzipSync(text).subarray(0, 20)],
    ['gzip', Buffer.from('no gzip at all')],
    ['x-own', Buffer.from([0, 255, 1, 254])],
  ])('%s', async (coding, body) => {
    upstream.behave({
      kind: 'answer',
      headers: [`content-encoding: ${coding}`, 'etag: "1"', 'x-request-id: r1'],
      body,
    })
    const key = randomUUID()
    for (const replayed of [undefined, 'true']) {
      const answer = await payRaw(key)
      expect(answer.status).toBe(201)
      expect(answer.body.equals(body)).toBe(true)
      expect(answer.headers['content-encoding']).toBe(coding)
      expect(answer.headers['content-length']).toBe(String(body.byteLength))
      expect(answer.headers.etag).toBe('"1"')
      expect(answer.headers['idempotent-replayed']).toBe(replayed)
      // Of one exchange, not of the operation.
      expect(answer.headers['x-request-id']).toBe(replayed === undefined ? 'r1' : undefined)
    }
    expect(upstream.received).toHaveLength(1)
  })

  test('of a refusal that is not stored', async () => {
    const body = gzipSync('{"error":"no"}')
    upstream.behave({ kind: 'answer', status: 422, headers: ['content-encoding: gzip'], body })
    const answer = await payRaw(randomUUID())
    expect([answer.status, answer.headers['content-encoding'], answer.body.equals(body)]).toEqual([
      422,
      'gzip',
      true,
    ])
  })
})

test('a compressed request reaches the upstream as it came, and is compared by its bytes', async () => {
  const body = gzipSync('{"amount":100}')
  const key = randomUUID()
  const headers = { 'idempotency-key': key, 'content-type': 'application/json', 'content-encoding': 'gzip' }
  expect((await send('POST', '/v1/payments', { headers, body })).status).toBe(201)
  const [request] = upstream.received
  expect(request?.body.equals(body)).toBe(true)
  expect(request && headerOf(request, 'content-encoding')).toBe('gzip')
  expect((await send('POST', '/v1/payments', { headers, body: gzipSync('{"amount":101}') })).status).toBe(422)
})

test('a chunked request and a chunked answer', async () => {
  const key = randomUUID()
  const headers = { 'idempotency-key': key, 'transfer-encoding': 'chunked' }
  expect((await send('POST', '/v1/payments', { headers, body: '{"amount":1}' })).status).toBe(201)
  const [request] = upstream.received
  expect(request && headerOf(request, 'content-length')).toBe('12')
  expect(
    (await send('POST', '/open/chunks', { headers: { 'transfer-encoding': 'chunked' }, body: 'streamed' }))
      .status,
  ).toBe(201)
  expect(upstream.received[1]?.body.toString()).toBe('streamed')
})

test('bodies above the bound are refused, with and without a length, keyed or not', async () => {
  const body = 'x'.repeat(2_000)
  const chunked = { 'transfer-encoding': 'chunked' }
  for (const headers of [{ 'content-length': '2000' }, chunked])
    expect(
      (await send('POST', '/v1/payments', { headers: { ...headers, 'idempotency-key': randomUUID() }, body }))
        .status,
    ).toBe(413)
  expect(upstream.received).toHaveLength(0)
  const open = await send('POST', '/open/large', {
    headers: { 'content-length': '2000000' },
    body: 'x'.repeat(2_000_000),
  }).catch(() => null)
  expect(open?.status ?? 413).toBe(413)
  expect(upstream.received).toHaveLength(0)
})

test('HEAD, GET, and other methods are passed on with query and status', async () => {
  upstream.behave({ kind: 'answer', status: 200, body: 'found' })
  const got = await send('GET', '/v1/payments/pay_1?expand=charge')
  expect([got.status, got.body.toString()]).toEqual([200, 'found'])
  upstream.behave({ kind: 'answer', status: 204, body: '' })
  expect((await send('DELETE', '/open/things/1')).status).toBe(204)
  expect((await send('PUT', '/open/things/1', { body: 'a' })).status).toBe(204)
  expect(upstream.received.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'GET /v1/payments/pay_1?expand=charge',
    'DELETE /open/things/1',
    'PUT /open/things/1',
  ])
})

test('hop-by-hop headers stay on their connection; the rest is passed on', async () => {
  upstream.behave({
    kind: 'answer',
    headers: [
      'connection: keep-alive, x-of-hop',
      'x-of-hop: 1',
      'keep-alive: timeout=5',
      'x-kept: 1',
      'set-cookie: a=1',
      'set-cookie: b=2',
    ],
  })
  const answer = await send('POST', '/open/hops', {
    headers: {
      connection: 'close, X-Mine',
      'x-mine': '1',
      te: 'trailers',
      'proxy-authorization': 'Basic x',
      'x-kept': '1',
      'x-forwarded-for': '6.6.6.6',
      forwarded: 'for=6.6.6.6',
      via: '1.0 first',
    },
    body: 'a',
  })
  const [request] = upstream.received
  if (request === undefined) throw new Error('nothing was sent')
  for (const name of ['x-mine', 'te', 'proxy-authorization', 'forwarded'])
    expect(headerOf(request, name)).toBeUndefined()
  expect(headerOf(request, 'x-kept')).toBe('1')
  // Who is no trusted proxy does not say from where it comes.
  expect(headerOf(request, 'x-forwarded-for')).toBe('127.0.0.1')
  expect(headerOf(request, 'x-forwarded-proto')).toBe('http')
  expect(headerOf(request, 'via')).toBe('1.0 first, 1.1 idemscope-gateway')
  expect(headerOf(request, 'host')).toBe(new URL(upstream.url).host)
  expect(headerOf(request, 'x-forwarded-host')).toBe(new URL(gateway.url).host)
  expect(answer.headers['x-of-hop']).toBeUndefined()
  expect(answer.headers['x-kept']).toBe('1')
  expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2'])
  expect(answer.headers.via).toBe('1.1 idemscope-gateway')
})

test('a client that expects 100-continue is told to go on only when its body is wanted', async () => {
  const exchange = (head: string, body: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(gateway.port, '127.0.0.1', () => socket.write(head))
      let text = ''
      socket.on('data', (chunk) => {
        text += chunk
        if (text === 'HTTP/1.1 100 Continue\r\n\r\n') socket.write(body)
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(text))
    })
  const head = (more: string) =>
    `POST /v1/payments HTTP/1.1\r\nhost: gateway\r\nexpect: 100-continue\r\nconnection: close\r\n${more}\r\n\r\n`
  const wanted = await exchange(head(`idempotency-key: ${randomUUID()}\r\ncontent-length: 2`), '{}')
  expect(wanted).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 201 /)
  const tooLarge = await exchange(head(`idempotency-key: ${randomUUID()}\r\ncontent-length: 5000`), '')
  expect(tooLarge).toMatch(/^HTTP\/1\.1 413 /)
  expect(upstream.received).toHaveLength(1)
  expect(upstream.received[0]?.raw).not.toMatch(/expect/i)
  const other = await exchange(head('content-length: 0').replace('100-continue', 'magic'), '')
  expect(other).toMatch(/^HTTP\/1\.1 417 /)
})

test('connections are kept on both sides', async () => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  const sockets = new Set<unknown>()
  for (let n = 0; n < 3; n++) {
    await new Promise<void>((resolve, reject) => {
      const request = http.request(`${gateway.url}/open/kept`, { method: 'POST', agent }, (response) => {
        response.resume()
        response.on('end', resolve)
      })
      request.on('socket', (socket) => sockets.add(socket))
      request.on('error', reject)
      request.end('a')
    })
  }
  expect(sockets.size).toBe(1)
  expect(upstream.connections()).toBe(1)
  agent.destroy()
})

test('trace context goes on as a child of this request', async () => {
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  await pay(gateway, randomUUID(), { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } })
  const [request] = upstream.received
  const passed = request === undefined ? undefined : headerOf(request, 'traceparent')
  expect(passed).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`))
  expect(passed).not.toContain('b7ad6b7169203331')
})

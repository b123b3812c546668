import { randomUUID } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { createGate } from '../sdk/support'
import { keyState, pay, problemOf, runGateway, settingsFor } from './gateway-fixture'
import { openWorld, sendRaw } from './gateway-world'
import { headerOf } from './socket-upstream'

const { fixture, upstream, gateway } = await openWorld(
  (store, url) => {
    const settings = settingsFor(store, url)
    const all = { methods: ['POST'], path: '/**', upstream: 'payments', key: 'off' }
    return {
      ...settings,
      trustedProxies: ['10.0.0.0/8'],
      callers: { web: { fixed: 'web' }, proxied: { header: 'X-Client' } },
      routes: [...(settings.routes as unknown[]), all],
    }
  },
  { kind: 'answer', status: 201 },
)

const raw = (bytes: string) => sendRaw(gateway.port, bytes)

const post = (path: string, headers = '') =>
  raw(`POST ${path} HTTP/1.1\r\nhost: g\r\nconnection: close\r\ncontent-length: 0\r\n${headers}\r\n`)

test('what services would read as a header of the gateway is not passed on', async () => {
  const names = [
    'Idempotency_Fence',
    'idempotency_attempt',
    'Idempotency.Fence',
    'Idempotency_Key',
    'X_Forwarded_For',
    'Transfer_Encoding',
    'Content_Length',
    'X_Client',
    'X-Client',
  ]
  await post(
    '/open/a',
    names
      .map((name) => `${name}: 9\r\n`)
      .join('')
      .concat('X_Own: 1\r\n'),
  )
  const [request] = upstream.received
  if (request === undefined) throw new Error('nothing was sent')
  for (const name of names) expect([name, headerOf(request, name)]).toEqual([name, undefined])
  expect(headerOf(request, 'x_own')).toBe('1')
})

describe('no spelling leads around the route with keys', () => {
  test.each(['/V1/payments', '/v1/payments/', '/v1/payments;a=1', '/v1;x/Payments/'])('%s', async (path) => {
    expect(await post(path)).toMatch(/^HTTP\/1\.1 400 [\s\S]*ambiguous-path/)
    expect(upstream.received).toHaveLength(0)
  })
  test('another path is served', async () => {
    expect(await post('/v1/Refunds/')).toMatch(/^HTTP\/1\.1 201 /)
  })
})

describe('no answer to what follows is taken for that of a request before it', () => {
  const keyed = 'POST /v1/payments HTTP/1.1\r\nhost: g\r\nidempotency-key: '
  test.each([
    ['no HTTP', '\0\0\0\r\n\r\n'],
    [
      'a second request without an end',
      'POST /open/b HTTP/1.1\r\nhost: g\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n',
    ],
  ])('%s', async (name, rest) => {
    const gate = createGate()
    upstream.behave({ kind: 'gated', gate })
    const key = `behind-${name.length}`
    const answered = raw(`${keyed}${key}\r\ncontent-length: 2\r\n\r\n{}${rest}`)
    expect(await answered).toBe('')
    gate.resolve()
    // It was executed once, and its retry hears so.
    const retry = () => raw(`${keyed}${key}\r\nconnection: close\r\ncontent-length: 2\r\n\r\n{}`)
    await expect.poll(retry).toMatch(/^HTTP\/1\.1 201 [\s\S]*idempotent-replayed: true/)
    expect(upstream.received.filter(({ path }) => path === '/v1/payments')).toHaveLength(1)
  })
})

test('credentials of an absolute form, and a fragment, are in no line of the log', async () => {
  await raw('GET http://user:pass-word@g/v1/payments HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n')
  await raw('GET /v1/payments#pass-word HTTP/1.1\r\nhost: g\r\nconnection: close\r\n\r\n')
  const requests = () =>
    gateway.lines().filter(({ path, status }) => path === '/v1/payments' && status === 400)
  await expect.poll(() => requests().length).toBe(2)
  expect(JSON.stringify(gateway.lines())).not.toContain('pass-word')
})

test('no more requests are served at one time than may be, and nothing of one more is sent or begun', async () => {
  const small = await runGateway(settingsFor(fixture, upstream.url, {}, { limits: { requests: 2 } }))
  try {
    const gate = createGate()
    upstream.behave({ kind: 'gated', gate })
    const served = [pay(small), pay(small)]
    await expect.poll(() => upstream.received.length).toBe(2)
    const key = randomUUID()
    const refused = await pay(small, key)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await problemOf(refused)).toBe('overloaded')
    expect((await keyState(fixture, key)).state).toBeNull()
    gate.resolve()
    upstream.behave({ kind: 'answer', status: 201 })
    expect((await Promise.all(served)).map(({ status }) => status)).toEqual([201, 201])
    expect((await pay(small, key)).status).toBe(201)
    expect(upstream.received).toHaveLength(3)
  } finally {
    await small.stop()
  }
})

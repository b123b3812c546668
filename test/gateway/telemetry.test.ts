import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { hashKey } from '@/sdk/key-hash'
import { KEY_SECRET } from '../sdk/support'
import { createStoreFixture, pay, type StoreFixture, settingsFor } from './gateway-fixture'
import { type GatewayProcess, spawnGateway } from './gateway-process'
import { type SocketUpstream, startSocketUpstream } from './socket-upstream'

let fixture: StoreFixture
let upstream: SocketUpstream
let gateway: GatewayProcess
let received: Awaited<ReturnType<typeof startReceiver>>

/** Takes what is exported, as bytes: attributes are in it as they are. */
async function startReceiver() {
  const requests: { authorization: string | undefined; text: string }[] = []
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk)
    const body = Buffer.concat(chunks)
    const bytes = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body
    requests.push({ authorization: incoming.headers.authorization, text: bytes.toString('latin1') })
    outgoing.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}

beforeAll(async () => {
  fixture = await createStoreFixture(2)
  upstream = await startSocketUpstream()
  received = await startReceiver()
  const telemetry = { otlp: received.url, token: 'token-of-the-receiver', service: 'payments-gateway' }
  gateway = await spawnGateway(settingsFor(fixture, upstream.url, {}, { telemetry }))
  await gateway.said('store is ready')
})
afterAll(async () => {
  gateway.signal('SIGTERM')
  await gateway.ended
  await received.close()
  await upstream.close()
  await fixture.close()
})

const SECRETS = {
  authorization: 'Bearer sk_live_secret',
  cookie: 'session=secret',
  'x-api-key': 'sk_live_secret',
}

test('each request is one line, one span and one count, without its key or credentials', async () => {
  const key = randomUUID()
  const keyHash = hashKey(KEY_SECRET, key)
  await pay(gateway, key, { headers: SECRETS, path: '/v1/payments?token=sk_live_secret' })
  await pay(gateway, key, { headers: SECRETS, path: '/v1/payments?token=sk_live_secret' })
  await fetch(`${gateway.url}/v1/payments/pay_1?token=sk_live_secret`, { headers: SECRETS })
  await fetch(`${gateway.url}/nowhere`)
  const requests = () => gateway.lines().filter(({ msg }) => msg === 'request')
  await expect.poll(() => requests().length).toBe(4)
  expect(requests()).toMatchObject([
    {
      level: 'info',
      method: 'POST',
      path: '/v1/payments',
      route: '/v1/payments',
      status: 201,
      scope: 'web/POST /v1/payments',
      keyHash,
      outcome: 'executed',
      state: 'completed',
      attempt: 1,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
      durationMs: expect.any(Number),
    },
    { status: 201, keyHash, outcome: 'replayed' },
    {
      method: 'GET',
      path: '/v1/payments/pay_1',
      route: '/v1/payments/{id}',
      status: 201,
      client: '127.0.0.1',
    },
    { path: '/nowhere', status: 404 },
  ])
  await expect.poll(() => received.requests.map(({ text }) => text).join('')).toContain('replayed')
  const exported = received.requests.map(({ text }) => text).join('')
  for (const said of [
    'payments-gateway',
    'idempotency.outcome',
    keyHash,
    'gateway.upstream',
    'idempotency.effect.outcome',
  ])
    expect(exported).toContain(said)
  expect(new Set(received.requests.map(({ authorization }) => authorization))).toEqual(
    new Set(['Bearer token-of-the-receiver']),
  )
  for (const told of [exported, JSON.stringify(gateway.lines())]) {
    expect(told).not.toContain(key)
    expect(told).not.toMatch(/sk_live_secret|session=secret/)
  }
})

test('/metrics is what Prometheus expects', async () => {
  upstream.behave({ kind: 'reset' })
  await pay(gateway)
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text()
  expect(text).toMatch(/^http_server_request_duration_seconds_count\{.*http_route="\/v1\/payments".*\} \d+$/m)
  expect(text).toMatch(/^idempotency_acquire_duration_seconds_bucket\{.*le="0\.005".*\} \d+$/m)
  expect(text).toMatch(/^idemscope_gateway_lost_answers_total\{.*idemscope_gateway_phase="waiting".*\} 1$/m)
  expect(text).toMatch(/^idempotency_requests_total\{.*idempotency_outcome="executed".*\} \d+$/m)
  expect(text).toMatch(/^http_server_active_requests(\{.*\})? 0$/m)
  const check = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' })
  // promtool is Debian's; where it is absent, what Prometheus says of it is not known here.
  if (check.error === undefined) expect(`${check.stdout}${check.stderr}`).toBe('')
})

test('the operator side has nothing else', async () => {
  expect((await fetch(`${gateway.adminUrl}/`)).status).toBe(404)
  expect((await fetch(`${gateway.adminUrl}/metrics`, { method: 'POST' })).status).toBe(405)
  expect((await fetch(`${gateway.url}/metrics`)).status).toBe(404)
  expect((await fetch(`${gateway.adminUrl}/readyz`)).status).toBe(200)
})

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createGate, createManualClock, expireLease } from '../sdk/support'
import {
  createStoreFixture,
  keyState,
  pay,
  problemOf,
  type RunningGateway,
  runGateway,
  type StoreFixture,
  settingsFor,
} from './gateway-fixture'
import { headerOf, type SocketUpstream, startSocketUpstream } from './socket-upstream'

let fixture: StoreFixture
let upstream: SocketUpstream

beforeAll(async () => {
  fixture = await createStoreFixture()
  upstream = await startSocketUpstream()
})
afterAll(async () => {
  await upstream.close()
  await fixture.close()
})
beforeEach(() => {
  upstream.received.length = 0
})

const attempts = () =>
  upstream.received
    .filter(({ method }) => method === 'POST')
    .map((each) => headerOf(each, 'idempotency-attempt'))

describe('an upstream that accepts the key itself', () => {
  let gateway: RunningGateway
  beforeAll(async () => {
    gateway = await runGateway(
      settingsFor(fixture, upstream.url, { whenUnknown: 'idempotent', deadline: '300ms' }),
    )
  })
  afterAll(() => gateway.stop())

  test('is sent a retry with the same key, and not by the gateway itself', async () => {
    upstream.behave({ kind: 'reset' })
    const key = randomUUID()
    const first = await pay(gateway, key)
    expect([first.status, await problemOf(first)]).toEqual([502, 'answer-lost'])
    expect(attempts()).toEqual(['1'])
    expect(await keyState(fixture, key)).toMatchObject({
      state: 'R',
      steps: [{ step: 'answer-lost', result: { phase: 'waiting' } }],
    })
    upstream.behave({ kind: 'answer', status: 201 })
    expect((await pay(gateway, key)).status).toBe(201)
    expect(attempts()).toEqual(['1', '2'])
    expect(new Set(upstream.received.map((each) => headerOf(each, 'idempotency-key')))).toEqual(
      new Set([`"${key}"`]),
    )
    expect((await pay(gateway, key)).headers.get('idempotent-replayed')).toBe('true')
  })

  test('one request at a time all the same, and a later fence each time', async () => {
    const gate = createGate()
    upstream.behave({ kind: 'gated', gate })
    const key = randomUUID()
    const running = pay(gateway, key)
    await upstream.arrived(1)
    expect((await pay(gateway, key)).status).toBe(409)
    gate.resolve()
    expect((await running).status).toBe(201)
  })
})

describe('an upstream that can be asked', () => {
  let gateway: RunningGateway
  const clock = createManualClock()
  const probe = { probe: '/v1/payments/by-key/{key}?full=1', settle: '30s', timeout: '10s' }
  const pathOf = (key: string) => `/v1/payments/by-key/${key}?full=1`
  beforeAll(async () => {
    gateway = await runGateway(settingsFor(fixture, upstream.url, { whenUnknown: probe }), clock.clock)
  })
  afterAll(async () => {
    const stopped = gateway.stop()
    const moving = setInterval(() => clock.advance(1_000), 10)
    await stopped
    clearInterval(moving)
  })

  test('a lost answer is asked for at once', async () => {
    const key = randomUUID()
    upstream.behave({ kind: 'reset' })
    upstream.behave({ kind: 'answer', status: 200, body: '{"id":"pay_found"}' }, pathOf(key))
    const first = await pay(gateway, key, { headers: { authorization: 'Bearer secret' } })
    expect([first.status, await first.json()]).toEqual([200, { id: 'pay_found' }])
    const asked = upstream.received.at(-1)
    expect(
      asked && [asked.method, headerOf(asked, 'authorization'), headerOf(asked, 'content-type')],
    ).toEqual(['GET', 'Bearer secret', undefined])
    expect(
      (await pay(gateway, key, { headers: { authorization: 'Bearer secret' } })).headers.get(
        'idempotent-replayed',
      ),
    ).toBe('true')
    expect(attempts()).toEqual(['1'])
  })

  test('absent counts only when it still is after the upstream may take: then it is sent again', async () => {
    const key = randomUUID()
    upstream.behave({ kind: 'reset' })
    upstream.behave({ kind: 'answer', status: 404 }, pathOf(key))
    expect((await pay(gateway, key)).status).toBe(502)
    upstream.behave({ kind: 'answer', status: 201 })
    const before = upstream.received.length
    const retry = pay(gateway, key)
    await upstream.arrived(before + 1)
    expect(attempts()).toEqual(['1'])
    // Only the passing of that time lets it go on.
    const moving = setInterval(() => clock.advance(1_000), 10)
    expect((await retry).status).toBe(201)
    clearInterval(moving)
    expect(upstream.received.slice(before).map(({ method }) => method)).toEqual(['GET', 'GET', 'POST'])
    expect(attempts()).toEqual(['1', '2'])
  })

  test('what it ended meanwhile is found by the second look', async () => {
    const key = randomUUID()
    upstream.behave({ kind: 'reset' })
    upstream.behave({ kind: 'answer', status: 404 }, pathOf(key))
    await pay(gateway, key)
    const before = upstream.received.length
    const retry = pay(gateway, key)
    await upstream.arrived(before + 1)
    upstream.behave({ kind: 'answer', status: 200, body: '{"id":"late"}' }, pathOf(key))
    const moving = setInterval(() => clock.advance(1_000), 10)
    expect(await (await retry).json()).toEqual({ id: 'late' })
    clearInterval(moving)
    expect(attempts()).toEqual(['1'])
  })

  test('a probe that does not say leaves it unknown', async () => {
    const key = randomUUID()
    upstream.behave({ kind: 'reset' })
    upstream.behave({ kind: 'answer', status: 500 }, pathOf(key))
    expect((await pay(gateway, key)).status).toBe(502)
    const again = await pay(gateway, key)
    expect([again.status, await problemOf(again)]).toEqual([409, 'unknown-outcome'])
    expect(attempts()).toEqual(['1'])
  })

  test('after a crash the lease passes, and the probe is asked before anything is sent', async () => {
    const key = randomUUID()
    upstream.behave({ kind: 'answer', status: 200, body: '{"id":"pay_1"}' }, pathOf(key))
    // As a killed gateway leaves it: acquired, and nothing said.
    const { acquireRequest } = await import('../sdk/support')
    const { fingerprintRequest } = await import('@/sdk/fingerprint/fingerprint')
    const body = new TextEncoder().encode('{"amount":100}')
    const request = new Request(`${gateway.url}/v1/payments`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
    })
    await fixture.store.acquire(acquireRequest(key, { fingerprint: fingerprintRequest(request, body) }))
    await expireLease(fixture, key)
    expect(await (await pay(gateway, key)).json()).toEqual({ id: 'pay_1' })
    expect(attempts()).toEqual([])
  })

  test('nothing sent needs no probe', async () => {
    const key = randomUUID()
    const down = await runGateway(
      settingsFor(fixture, 'http://127.0.0.1:9', { whenUnknown: probe }),
      clock.clock,
    )
    expect(await problemOf(await pay(down, key))).toBe('upstream-unreachable')
    upstream.behave({ kind: 'answer', status: 201 })
    expect((await pay(gateway, key)).status).toBe(201)
    expect(upstream.received.map(({ method }) => method)).toEqual(['POST'])
    const stopped = down.stop()
    const moving = setInterval(() => clock.advance(1_000), 10)
    await stopped
    clearInterval(moving)
  })
})

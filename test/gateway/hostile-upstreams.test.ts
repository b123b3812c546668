import { randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createGate } from '../sdk/support'
import { keyState, pay, problemOf, type RunningGateway, runGateway, settingsFor } from './gateway-fixture'
import { openWorld } from './gateway-world'
import { headerOf, startSocketUpstream } from './socket-upstream'

const { fixture, upstream, gateway } = await openWorld(
  (store, url) => settingsFor(store, url, { deadline: '5s', responseBytes: '1KiB' }),
  { kind: 'answer', status: 201 },
)

const activeRequests = async () =>
  /^http_server_active_requests\S* (\d+)/m.exec(
    await (await fetch(`${gateway.adminUrl}/metrics`)).text(),
  )?.[1]

describe('a change of protocol that nobody asked for is a lost answer', () => {
  const bytes = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: other\r\n\r\n'
  test('with a key', async () => {
    upstream.behave({ kind: 'raw', bytes })
    const key = randomUUID()
    const answer = await pay(gateway, key)
    expect([answer.status, await problemOf(answer)]).toEqual([502, 'outcome-unknown'])
    expect((await keyState(fixture, key)).state).toBe('U')
  })
  test('without one', async () => {
    upstream.behave({ kind: 'raw', bytes })
    const answer = await pay(gateway, randomUUID(), { path: '/open/a' })
    expect([answer.status, await problemOf(answer)]).toEqual([502, 'answer-lost'])
  })
})

test('a status that is none is a lost answer', async () => {
  upstream.behave({ kind: 'raw', bytes: 'HTTP/1.1 099 Odd\r\ncontent-length: 0\r\n\r\n' })
  expect(await problemOf(await pay(gateway, randomUUID(), { path: '/open/a' }))).toBe('answer-lost')
})

test('a client that went away before the answer holds no connection and no request', async () => {
  const gate = createGate()
  upstream.behave({ kind: 'gated', gate, body: Buffer.alloc(8_000_000) })
  const socket = connect(gateway.port, '127.0.0.1', () =>
    socket.write('POST /open/gone HTTP/1.1\r\nhost: g\r\ncontent-length: 0\r\n\r\n'),
  )
  await upstream.arrived(1)
  socket.destroy()
  // That its end was seen shows in that one after it is served.
  upstream.behave({ kind: 'answer' }, '/open/other')
  await pay(gateway, randomUUID(), { path: '/open/other' })
  gate.resolve()
  await expect.poll(activeRequests).toBe('0')
})

describe('an answer that is too large says what its status says', () => {
  const body = 'x'.repeat(2_000)
  test('a refusal leaves the key free', async () => {
    upstream.behave({ kind: 'answer', status: 422, body })
    const key = randomUUID()
    const refused = await pay(gateway, key)
    expect([refused.status, await problemOf(refused)]).toEqual([422, 'answer-too-large'])
    upstream.behave({ kind: 'answer', status: 201 })
    expect((await pay(gateway, key)).status).toBe(201)
    expect(upstream.received).toHaveLength(2)
  })
  test.each([502, 504])('%s is unknown, and not executed', async (status) => {
    upstream.behave({ kind: 'answer', status, body })
    const key = randomUUID()
    const lost = await pay(gateway, key)
    expect([lost.status, await problemOf(lost)]).toEqual([status, 'outcome-unknown'])
    expect((await keyState(fixture, key)).state).toBe('U')
  })
})

describe('what changes nothing is asked again once', () => {
  const get = async (path: string) => {
    const answer = await fetch(gateway.url + path)
    return [answer.status, await answer.text()]
  }
  test('over a new connection not', async () => {
    const fresh = await startSocketUpstream()
    const alone = await runGateway(settingsFor(fixture, fresh.url))
    fresh.behave({ kind: 'reset' })
    expect((await fetch(`${alone.url}/open/a`)).status).toBe(502)
    expect(fresh.received).toHaveLength(1)
    await alone.stop()
    await fresh.close()
  })
  test('over one that was kept', async () => {
    await get('/open/warm')
    upstream.received.length = 0
    upstream.behave({ kind: 'reset' }, '/open/kept')
    expect((await get('/open/kept'))[0]).toBe(502)
    expect(upstream.received).toHaveLength(2)
    upstream.received.length = 0
    await get('/open/warm')
    upstream.behave({ kind: 'reset' }, '/open/post')
    await pay(gateway, randomUUID(), { path: '/open/post' })
    expect(upstream.received.map(({ path }) => path)).toEqual(['/open/warm', '/open/post'])
  })
})

describe('a request that waits for a free connection', () => {
  test('is not sent once it has waited for connectTimeout: the key is free', async () => {
    const few = await runGateway(
      settingsFor(
        fixture,
        upstream.url,
        {},
        { upstreams: { payments: { url: upstream.url, connections: 1, connectTimeout: '200ms' } } },
      ),
    )
    const gate = createGate()
    upstream.behave({ kind: 'gated', gate })
    const running = pay(few)
    await upstream.arrived(1)
    const key = randomUUID()
    expect(await problemOf(await pay(few, key))).toBe('upstream-unreachable')
    expect((await keyState(fixture, key)).state).toBe('R')
    gate.resolve()
    expect((await running).status).toBe(201)
    expect(upstream.received).toHaveLength(1)
    await few.stop()
  })

  test('is not sent once another has taken the key', async () => {
    const few = await runGateway(
      settingsFor(
        fixture,
        upstream.url,
        { whenUnknown: 'idempotent', lease: '20s' },
        { upstreams: { payments: { url: upstream.url, connections: 1, connectTimeout: '10s' } } },
      ),
    )
    const gate = createGate()
    upstream.behave({ kind: 'gated', gate })
    const running = pay(few)
    await upstream.arrived(1)
    const key = randomUUID()
    const waiting = pay(few, key)
    await expect.poll(async () => (await keyState(fixture, key)).attempts).toBe(1)
    await fixture.query('UPDATE idem_lease SET fence = fence + 1 WHERE key = idem_key_bytes($1)', [key])
    expect((await waiting).status).toBeGreaterThanOrEqual(500)
    gate.resolve()
    expect((await running).status).toBe(201)
    expect(upstream.received).toHaveLength(1)
    await few.stop()
  }, 20_000)
})

describe('a probe', () => {
  const whenUnknown = { probe: '/v1/payments/by-key/{key}', settle: '1s', timeout: '1s' }
  let probing: RunningGateway
  beforeAll(async () => {
    probing = await runGateway(settingsFor(fixture, upstream.url, { whenUnknown }))
  })
  afterAll(() => probing.stop())

  test.each(['..', '.', '../../admin', 'a/b'])('does not ask for another place: %s', async (key) => {
    upstream.behave({ kind: 'reset' }, '/v1/payments')
    upstream.behave({ kind: 'answer', status: 200 })
    const answer = await pay(probing, key)
    upstream.behave({ kind: 'answer', status: 201 }, '/v1/payments')
    expect([answer.status, await problemOf(answer)]).toEqual([502, 'answer-lost'])
    expect(upstream.received.map(({ method }) => method)).toEqual(['POST'])
  })

  test('is the question that the route says, and not what the client makes of it', async () => {
    upstream.behave({ kind: 'reset' }, '/v1/payments')
    upstream.behave({ kind: 'answer', status: 200 })
    const headers = { 'x-http-method-override': 'DELETE', 'if-none-match': '*', range: 'bytes=0-1' }
    expect((await pay(probing, randomUUID(), { headers })).status).toBe(200)
    upstream.behave({ kind: 'answer', status: 201 }, '/v1/payments')
    const asked = upstream.received[1]
    expect(asked?.method).toBe('GET')
    for (const name of Object.keys(headers)) expect(asked && headerOf(asked, name)).toBeUndefined()
  })
})

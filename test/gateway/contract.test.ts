import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { keyState, pay, problemOf, settingsFor } from './gateway-fixture'
import { openWorld } from './gateway-world'
import { headerOf } from './socket-upstream'

const { fixture, upstream, gateway } = await openWorld((store, url) => settingsFor(store, url), {
  kind: 'answer',
  status: 201,
  body: '{"id":"pay_1"}',
})

test('executes a key once and replays its answer', async () => {
  const key = randomUUID()
  const first = await pay(gateway, key)
  expect([first.status, await first.json()]).toEqual([201, { id: 'pay_1' }])
  expect(first.headers.get('idempotent-replayed')).toBeNull()
  const second = await pay(gateway, key)
  expect([second.status, await second.json()]).toEqual([201, { id: 'pay_1' }])
  expect(second.headers.get('idempotent-replayed')).toBe('true')
  expect(upstream.received).toHaveLength(1)
})

test('tells the upstream key, attempt and fence, and nobody else may', async () => {
  const key = randomUUID()
  await pay(gateway, key, { headers: { 'idempotency-attempt': '9', 'idempotency-fence': '9' } })
  const [request] = upstream.received
  if (request === undefined) throw new Error('nothing was sent')
  expect(headerOf(request, 'idempotency-key')).toBe(`"${key}"`)
  expect(headerOf(request, 'idempotency-attempt')).toBe('1')
  expect(Number(headerOf(request, 'idempotency-fence'))).toBeGreaterThan(1e15)
  expect(request.body.toString()).toBe('{"amount":100}')
  expect(request.raw.match(/idempotency-attempt/gi)).toHaveLength(1)
})

test('an error of the upstream is as final as a success', async () => {
  upstream.behave({ kind: 'answer', status: 500, body: '{"error":"broken"}' })
  const key = randomUUID()
  expect((await pay(gateway, key)).status).toBe(500)
  const again = await pay(gateway, key)
  expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([500, 'true'])
  expect(upstream.received).toHaveLength(1)
})

test('what the upstream refused may be corrected under the same key', async () => {
  upstream.behave({ kind: 'answer', status: 422, body: '{"error":"amount"}' })
  const key = randomUUID()
  expect((await pay(gateway, key)).status).toBe(422)
  expect((await keyState(fixture, key)).state).toBe('R')
  upstream.behave({ kind: 'answer', status: 201 })
  const corrected = await pay(gateway, key, { body: '{"amount":200}' })
  expect(corrected.status).toBe(201)
  expect(upstream.received.map((each) => headerOf(each, 'idempotency-attempt'))).toEqual(['1', '2'])
})

test('refuses a missing key, a malformed key, and another payload', async () => {
  const missing = await fetch(`${gateway.url}/v1/payments`, { method: 'POST', body: '{}' })
  expect([missing.status, await problemOf(missing)]).toEqual([400, 'key-missing'])
  const malformed = await fetch(`${gateway.url}/v1/payments`, {
    method: 'POST',
    body: '{}',
    headers: { 'idempotency-key': 'a b' },
  })
  expect([malformed.status, await problemOf(malformed)]).toEqual([400, 'key-malformed'])
  const key = randomUUID()
  await pay(gateway, key)
  const other = await pay(gateway, key, { body: '{"amount":101}' })
  expect([other.status, await problemOf(other)]).toEqual([422, 'key-reused'])
  expect(upstream.received).toHaveLength(1)
})

test('a step and its end are in the record', async () => {
  const key = randomUUID()
  await pay(gateway, key)
  const [row] = await fixture.query<{ effects: unknown }>(
    'SELECT effects FROM idem_body WHERE key = idem_key_bytes($1)',
    [key],
  )
  expect(row?.effects).toMatchObject([{ step: 'upstream', name: 'gateway.upstream', state: 'C' }])
})

test('an answer larger than can be kept is known to be executed, and says so each time', async () => {
  upstream.behave({ kind: 'answer', status: 201, body: 'x'.repeat(5_000_000) })
  const key = randomUUID()
  const first = await pay(gateway, key)
  expect([first.status, await problemOf(first)]).toEqual([502, 'answer-too-large'])
  const again = await pay(gateway, key)
  expect([again.status, await problemOf(again)]).toEqual([502, 'answer-too-large'])
  expect(upstream.received).toHaveLength(1)
})

test('no route, no method', async () => {
  const none = await fetch(`${gateway.url}/elsewhere`)
  expect([none.status, await problemOf(none)]).toEqual([404, 'no-route'])
  const method = await fetch(`${gateway.url}/v1/payments`, { method: 'DELETE' })
  expect([method.status, method.headers.get('allow')]).toEqual([405, 'POST'])
  expect(upstream.received).toHaveLength(0)
})

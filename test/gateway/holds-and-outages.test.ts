import { randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { startBreakingProxy } from '../sdk/breaking-proxy'
import { liftHold, placeHold } from '../sdk/holds-fixture'
import { keyState, pay, problemOf, runGateway, settingsFor, startUnready } from './gateway-fixture'
import { openWorld } from './gateway-world'

const { fixture, upstream, gateway } = await openWorld((store, url) =>
  settingsFor(store, url, { key: 'optional' }),
)

test('a hold stops new executions within 2 seconds, keyed or not; replays go on', async () => {
  const done = randomUUID()
  await pay(gateway, done)
  const { id } = await placeHold(fixture, 'route', { route: 'POST /v1/payments' })
  const placedMs = performance.now()
  await expect.poll(async () => (await pay(gateway)).status, { interval: 50 }).toBe(503)
  expect(performance.now() - placedMs).toBeLessThan(2_500)
  const sent = upstream.received.length

  const key = randomUUID()
  const held = await pay(gateway, key)
  expect([held.status, await problemOf(held)]).toEqual([503, 'held'])
  expect(Number(held.headers.get('retry-after'))).toBeGreaterThan(0)
  const unkeyed = await fetch(`${gateway.url}/v1/payments`, { method: 'POST', body: '{}' })
  expect([unkeyed.status, await problemOf(unkeyed)]).toEqual([503, 'held'])
  expect((await pay(gateway, done)).headers.get('idempotent-replayed')).toBe('true')
  expect((await fetch(`${gateway.url}/v1/payments/pay_1`)).status).toBe(201)
  expect(upstream.received).toHaveLength(sent + 1)
  // Nothing is kept of what was not let in.
  expect((await keyState(fixture, key)).state).toBeNull()

  await liftHold(fixture, id)
  await expect.poll(async () => (await pay(gateway, key)).status, { interval: 50 }).toBe(201)
})

test('a held effect is not begun, and its key is free', async () => {
  const { id } = await placeHold(fixture, 'step', { step: 'upstream' })
  await expect.poll(async () => (await pay(gateway)).status, { interval: 50 }).toBe(503)
  const sent = upstream.received.length
  const key = randomUUID()
  expect(await problemOf(await pay(gateway, key))).toBe('held')
  expect(upstream.received).toHaveLength(sent)
  expect(await keyState(fixture, key)).toMatchObject({
    state: 'R',
    steps: [{ step: 'upstream', state: 'F' }],
  })
  await liftHold(fixture, id)
  await expect.poll(async () => (await pay(gateway, key)).status, { interval: 50 }).toBe(201)
})

test('without the store a route fails closed, or open where it says so', async () => {
  const proxy = await startBreakingProxy(fixture.url)
  const through = { url: proxy.url }
  const closed = await runGateway(settingsFor(through, upstream.url))
  const open = await runGateway(settingsFor(through, upstream.url, { failMode: 'open' }))
  for (const each of [closed, open]) expect((await pay(each)).status).toBe(201)
  await proxy.close()
  const sent = upstream.received.length
  const refused = await pay(closed)
  expect([refused.status, await problemOf(refused)]).toEqual([503, 'store-unavailable'])
  expect(upstream.received).toHaveLength(sent)
  expect((await pay(open)).status).toBe(201)
  expect(upstream.received).toHaveLength(sent + 1)
  await Promise.all([closed.stop(), open.stop()])
})

test('starts without its store, says that it is not ready, and serves once the store is there', async () => {
  const database = new URL(fixture.url)
  const name = `late_${randomUUID().replaceAll('-', '')}`
  database.pathname = `/${name}`
  const settings = settingsFor({ url: database.href }, upstream.url)
  const early = await startUnready({
    ...settings,
    stores: { main: { type: 'postgres', url: database.href, tiers: { default: '1h' } } },
  })
  const ready = await fetch(`${early.adminUrl}/readyz`)
  expect([ready.status, (await ready.text()).trim()]).toEqual([503, 'not reached yet: store main'])
  expect((await fetch(`${early.adminUrl}/healthz`)).status).toBe(200)
  expect((await pay(early)).status).toBe(503)
  await fixture.query(`CREATE DATABASE ${name}`)
  await expect.poll(async () => (await fetch(`${early.adminUrl}/readyz`)).status).toBe(200)
  expect((await pay(early)).status).toBe(201)
  await early.stop()
  await fixture.query(`DROP DATABASE ${name} WITH (FORCE)`)
})

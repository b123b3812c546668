import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createGate } from '../sdk/support'
import { makeThrowAwayFolder } from '../support/throw-away-folder'
import {
  createStoreFixture,
  keyState,
  pay,
  runGateway,
  type Settings,
  type StoreFixture,
  settingsFor,
} from './gateway-fixture'
import { type SocketUpstream, startSocketUpstream } from './socket-upstream'

let fixture: StoreFixture
let upstream: SocketUpstream

beforeAll(async () => {
  fixture = await createStoreFixture(2)
  upstream = await startSocketUpstream()
})
afterAll(async () => {
  await upstream.close()
  await fixture.close()
})
beforeEach(() => {
  upstream.received.length = 0
  upstream.behave({ kind: 'answer', status: 201 })
})

test('a file that only shows its fault when it is used changes nothing', async () => {
  const gateway = await runGateway(settingsFor(fixture, upstream.url))
  const noPem = join(makeThrowAwayFolder('gateway'), 'ca.pem')
  writeFileSync(noPem, 'no certificate')
  const withUpstream = (more: Settings) =>
    settingsFor(fixture, upstream.url, {}, { upstreams: { payments: { url: 'https://payments', ...more } } })
  for (const [broken, fault] of [
    [withUpstream({ caFile: '/nowhere.pem' }), /^upstreams\.payments: ENOENT/],
    [withUpstream({ caFile: noPem }), /^upstreams\.payments: caFile has no certificate/],
  ] as const) {
    gateway.write(broken)
    expect(gateway.reload()).toBe(false)
    expect(gateway.lines().at(-1)?.faults).toEqual([expect.stringMatching(fault)])
    expect((await pay(gateway)).status).toBe(201)
  }
  await gateway.stop()
})

test('requests of every earlier configuration end with its stores', async () => {
  const gateway = await runGateway(settingsFor(fixture, upstream.url))
  const gates = [createGate(), createGate()]
  const keys = [randomUUID(), randomUUID()]
  const running: Promise<Response>[] = []
  for (const [index, gate] of gates.entries()) {
    upstream.behave({ kind: 'gated', gate })
    running.push(pay(gateway, keys[index]))
    await upstream.arrived(index + 1)
    const main = { type: 'postgres', url: fixture.url, migrate: false, tiers: { default: '1h' } }
    const stores = { main: { ...main, connections: index === 0 ? 10 : 3 } }
    gateway.write(
      settingsFor(fixture, upstream.url, {}, { stores, keySecret: 'another-secret-of-32-characters-0' }),
    )
    expect(gateway.reload()).toBe(true)
  }
  for (const [index, gate] of gates.entries()) {
    gate.resolve()
    expect((await running[index])?.status).toBe(201)
    // Its end is in the store, and nothing of it is live.
    expect((await keyState(fixture, keys[index] ?? '')).state).toBeNull()
  }
  await gateway.stop()
})

import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createGate, expireLease } from '../sdk/support'
import { makeThrowAwayFolder } from '../support/throw-away-folder'
import {
  createStoreFixture,
  keyState,
  pay,
  problemOf,
  type StoreFixture,
  settingsFor,
} from './gateway-fixture'
import { type GatewayProcess, spawnGateway } from './gateway-process'
import { type SocketUpstream, startSocketUpstream } from './socket-upstream'

let fixture: StoreFixture
let upstream: SocketUpstream
let first: GatewayProcess
let second: GatewayProcess

beforeAll(async () => {
  fixture = await createStoreFixture(4)
  upstream = await startSocketUpstream()
  ;[first, second] = await Promise.all([spawn(), spawn()])
})
afterAll(async () => {
  first.signal('SIGTERM')
  second.signal('SIGTERM')
  await Promise.all([first.ended, second.ended])
  await upstream.close()
  await fixture.close()
})
beforeEach(() => {
  upstream.received.length = 0
  upstream.behave({ kind: 'answer', status: 201 })
})

const spawn = async () => {
  const gateway = await spawnGateway(settingsFor(fixture, upstream.url))
  await gateway.said('store is ready')
  return gateway
}

test('two gateways on one store send each of many racing keys once', async () => {
  const keys = Array.from({ length: 25 }, () => randomUUID())
  const answers = await Promise.all(
    keys.flatMap((key) =>
      [first, second, first, second].map(async (gateway) => ({ key, answer: await pay(gateway, key) })),
    ),
  )
  expect(upstream.received).toHaveLength(keys.length)
  for (const { answer } of answers) expect([201, 409]).toContain(answer.status)
  for (const key of keys) {
    expect(
      answers.filter(
        (each) =>
          each.key === key &&
          each.answer.headers.get('idempotent-replayed') === null &&
          each.answer.status === 201,
      ),
    ).toHaveLength(1)
    expect((await pay(second, key)).headers.get('idempotent-replayed')).toBe('true')
  }
  expect(upstream.received).toHaveLength(keys.length)
})

test('kill -9 within a request: the key becomes unknown and is never sent again, by a restarted gateway either', async () => {
  const victim = await spawn()
  const gate = createGate()
  upstream.behave({ kind: 'gated', gate })
  const key = randomUUID()
  const lost = pay(victim, key).catch(() => 'no answer')
  await upstream.arrived(1)
  victim.signal('SIGKILL')
  expect(await victim.ended).toBe('SIGKILL')
  expect(await lost).toBe('no answer')
  gate.resolve()
  const during = await pay(first, key)
  expect([during.status, await problemOf(during)]).toEqual([409, 'outstanding'])

  await expireLease(fixture, key)
  upstream.behave({ kind: 'answer', status: 201 })
  const restarted = await spawn()
  for (const gateway of [restarted, first]) {
    const after = await pay(gateway, key)
    expect([after.status, await problemOf(after)]).toEqual([409, 'unknown-outcome'])
  }
  expect(upstream.received).toHaveLength(1)
  expect(await keyState(fixture, key)).toMatchObject({
    state: 'U',
    steps: [{ step: 'upstream', state: 'B' }],
  })
  restarted.signal('SIGTERM')
  expect(await restarted.ended).toBe(0)
})

test('SIGTERM lets what runs end, takes no more, and ends with 0', async () => {
  const leaving = await spawn()
  const gate = createGate()
  upstream.behave({ kind: 'gated', gate })
  const key = randomUUID()
  const running = pay(leaving, key)
  await upstream.arrived(1)
  leaving.signal('SIGTERM')
  await leaving.said('draining')
  await expect
    .poll(() =>
      fetch(`${leaving.url}/v1/payments`).then(
        () => 'open',
        () => 'closed',
      ),
    )
    .toBe('closed')
  const ready = await fetch(`${leaving.adminUrl}/readyz`)
  expect([ready.status, (await ready.text()).trim()]).toEqual([503, 'draining'])
  gate.resolve()
  const answer = await running
  expect([answer.status, answer.headers.get('connection')]).toEqual([201, 'close'])
  expect(await leaving.ended).toBe(0)
  expect((await pay(first, key)).headers.get('idempotent-replayed')).toBe('true')
})

test('one that does not end in time is cut, and says so', async () => {
  const leaving = await spawnGateway(settingsFor(fixture, upstream.url, {}, { drain: { timeout: '200ms' } }))
  await leaving.said('store is ready')
  upstream.behave({ kind: 'stall' })
  const cut = pay(leaving, randomUUID()).catch(() => 'cut')
  await upstream.arrived(1)
  leaving.signal('SIGTERM')
  expect(await cut).toBe('cut')
  expect(await leaving.ended).toBe(1)
  expect(leaving.lines().at(-1)).toMatchObject({ level: 'error', unfinished: 1 })
})

test('SIGHUP under load drops no request, and a broken file changes nothing', async () => {
  const gateway = await spawn()
  const other = await startSocketUpstream()
  other.behave({ kind: 'answer', status: 202 })
  let isOver = false
  const statuses: number[] = []
  const load = Promise.all(
    Array.from({ length: 8 }, async () => {
      while (!isOver) statuses.push((await pay(gateway)).status)
    }),
  )
  const reloaded = async (message: string, count: number) =>
    expect.poll(() => gateway.lines().filter(({ msg }) => msg === message).length).toBe(count)
  const settings = settingsFor(fixture, other.url)
  gateway.write({ ...settings, routes: [] })
  gateway.signal('SIGHUP')
  await reloaded('configuration not reloaded: the old one stays', 1)
  expect(gateway.lines().find(({ faults }) => faults !== undefined)?.faults).toEqual([
    expect.stringMatching(/^line \d+:\d+ routes: must have at least one route$/),
  ])
  expect((await pay(gateway)).status).toBe(201)
  for (let n = 1; n <= 4; n++) {
    gateway.write(settingsFor(fixture, n % 2 === 1 ? other.url : upstream.url))
    gateway.signal('SIGHUP')
    await reloaded('configuration reloaded', n)
    expect((await pay(gateway)).status).toBe(n % 2 === 1 ? 202 : 201)
  }
  isOver = true
  await load
  expect(statuses.length).toBeGreaterThan(20)
  expect(new Set(statuses)).toEqual(new Set([201, 202]))
  // What only a new process can have.
  gateway.write({ ...settings, listen: '127.0.0.1:1' })
  gateway.signal('SIGHUP')
  await reloaded('configuration not reloaded: the old one stays', 2)
  gateway.signal('SIGTERM')
  expect(await gateway.ended).toBe(0)
  await other.close()
})

test('a broken file does not start, and --check only looks', () => {
  const file = join(makeThrowAwayFolder('gateway'), 'gateway.yaml')
  const run = (...more: string[]) =>
    spawnSync(process.execPath, ['--import', 'tsx', 'gateway/main.ts', ...more], { encoding: 'utf8' })
  writeFileSync(file, 'listen: 127.0.0.1:8080\nroutes: []\n')
  const broken = run('--config', file)
  expect([broken.status, broken.stdout]).toEqual([2, ''])
  expect(broken.stderr).toContain('line 2:9 routes: must have at least one route')
  expect(run().stderr).toContain('Usage: npm run gateway -- --config gateway.yaml')
})

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Prng } from '@/demo/prng'
import { type Break, startBreakingProxy } from '../sdk/breaking-proxy'
import { expireLease } from '../sdk/support'
import { histories } from '../support/whole-or-sample'
import {
  createStoreFixture,
  pay,
  type RunningGateway,
  runGateway,
  type StoreFixture,
  settingsFor,
} from './gateway-fixture'
import { type Behaviour, headerOf, type SocketUpstream, startSocketUpstream } from './socket-upstream'

// Random histories of keys, through two gateways on one store: answers of the upstream and of the store are lost in every way,
// upstreams go away, gateways are drained or lose their store for good in the middle of a request, as killed ones do, and start
// again, leases pass. Whatever happens, nothing that may have been executed is sent again.

let fixture: StoreFixture
let upstream: SocketUpstream

beforeAll(async () => {
  fixture = await createStoreFixture(20)
  upstream = await startSocketUpstream()
})
afterAll(async () => {
  await upstream.close()
  await fixture.close()
})

/** Whether the upstream's word is that nothing happened. */
const REFUSALS = new Set([422, 429])

const BEHAVIOURS: Behaviour[] = [
  { kind: 'answer', status: 201 },
  { kind: 'answer', status: 500 },
  { kind: 'answer', status: 422 },
  { kind: 'answer', status: 429 },
  { kind: 'answer', status: 502 },
  { kind: 'answer', status: 504 },
  { kind: 'reset' },
  { kind: 'reset-after-headers' },
  { kind: 'half-body' },
  { kind: 'stall' },
  { kind: 'stall-in-body' },
]

/** Where the store's connection breaks: at the statement that takes the key, or at the one that keeps the answer. */
const STATEMENTS = ['acquire-and-begin', 'settle-and-complete']
const BREAKS: Break[] = ['before', 'after']

/** What a client may be told: an answer, or honestly that there is none. */
const HONEST = new Set([201, 500, 422, 429, 409, 502, 503, 504])

type Player = RunningGateway & { proxy: Awaited<ReturnType<typeof startBreakingProxy>>; isDead: boolean }

async function startPlayer(upstreamUrl: string): Promise<Player> {
  const proxy = await startBreakingProxy(fixture.url)
  const gateway = await runGateway(settingsFor({ url: proxy.url }, upstreamUrl, ROUTE))
  return { ...gateway, proxy, isDead: false }
}

async function stopPlayer({ stop, proxy }: Player): Promise<void> {
  await stop()
  await proxy.close()
}

const ROUTE = { deadline: '60ms' }
const NOWHERE = 'http://127.0.0.1:9'

type Said = { key: string; status: number; body: string; replayed: boolean }

const KEYS = 12
const STEPS = 60

async function playHistory(seed: string): Promise<void> {
  const prng = new Prng(seed)
  const random = () => prng.next()
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const urlOf = (isGone: boolean) => (isGone ? NOWHERE : upstream.url)
  const gateways = [await startPlayer(upstream.url), await startPlayer(upstream.url)]
  const restart = async (index: number) => {
    const old = gateways[index]
    gateways[index] = await startPlayer(urlOf(isGone))
    if (old !== undefined) await stopPlayer(old)
  }
  const keys = Array.from({ length: KEYS }, () => randomUUID())
  /** The behaviour that each request to the upstream met, by key. */
  const met = new Map<string, Behaviour[]>()
  const said: Said[] = []
  let begun = upstream.received.length
  let isGone = false
  let storeBreaks = 0

  for (let step = 0; step < STEPS; step++) {
    const action = random()
    if (action < 0.08) {
      await restart(Math.floor(random() * 2))
      continue
    }
    if (action < 0.16) {
      isGone = !isGone
      for (const gateway of gateways) {
        gateway.write(settingsFor({ url: gateway.proxy.url }, urlOf(isGone), ROUTE))
        expect(gateway.reload()).toBe(true)
      }
      continue
    }
    if (action < 0.24) {
      await expireLease(fixture, pick(keys))
      continue
    }
    const behaviour = pick(BEHAVIOURS)
    upstream.behave(behaviour)
    const broken = random() < 0.3 ? pick(gateways) : null
    const dies = random() < 0.5
    broken?.proxy.breakAt(pick(BREAKS), pick(STATEMENTS), () => {
      if (!dies) return
      broken.isDead = true
      broken.proxy.refuse(true)
    })
    const chosen = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(keys))
    const answers = await Promise.all(
      chosen.map(async (key): Promise<Said> => {
        const answer = await pay(pick(gateways), key)
        const replayed = answer.headers.get('idempotent-replayed') === 'true'
        return { key, status: answer.status, body: await answer.text(), replayed }
      }),
    )
    said.push(...answers)
    broken?.proxy.disarm()
    storeBreaks += broken?.proxy.broken() ?? 0
    for (const [index, { isDead }] of gateways.entries()) if (isDead) await restart(index)
    for (const request of upstream.received.slice(begun)) {
      const key = headerOf(request, 'idempotency-key')?.replaceAll('"', '') ?? ''
      met.set(key, [...(met.get(key) ?? []), behaviour])
    }
    begun = upstream.received.length
  }

  expect(storeBreaks).toBeGreaterThan(0)
  expect(said.filter(({ status }) => !HONEST.has(status))).toEqual([])
  for (const [key, behaviours] of met) {
    const mayBeExecuted = behaviours.filter(
      ({ kind, ...more }) => !(kind === 'answer' && 'status' in more && REFUSALS.has(Number(more.status))),
    )
    expect(mayBeExecuted.length, `${seed}: ${key} met ${JSON.stringify(behaviours)}`).toBeLessThanOrEqual(1)
    // And what may be executed is the last that was sent.
    if (mayBeExecuted.length === 1) expect(behaviours.at(-1)).toBe(mayBeExecuted[0])
    const finals = said.filter(
      (each) =>
        each.key === key && [201, 500].includes(each.status) && !each.body.includes('idemscope:problem'),
    )
    expect(new Set(finals.map(({ status, body }) => `${status} ${body}`)).size).toBeLessThanOrEqual(1)
    expect(finals.filter(({ replayed }) => !replayed).length).toBeLessThanOrEqual(1)
  }
  await Promise.all(gateways.map(stopPlayer))
}

/** Each with the histories of 12 keys. */
const SEEDS = Math.ceil(histories(12) / 12)

test.each(Array.from({ length: SEEDS }, (_, n) => `gateway-${n + 1}`))('%s sends nothing twice', playHistory)

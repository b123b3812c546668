import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Prng } from '@/demo/prng'
import { expireLease } from '../sdk/support'
import { wholeOrSample } from '../support/whole-or-sample'
import {
  createStoreFixture,
  pay,
  type RunningGateway,
  runGateway,
  type StoreFixture,
  settingsFor,
} from './gateway-fixture'
import { type Behaviour, headerOf, type SocketUpstream, startSocketUpstream } from './socket-upstream'

// Random histories of two gateways on one store: answers are lost in every way, upstreams go away, gateways are drained and
// start again, leases pass. Whatever happens, nothing that may have been executed is sent again.

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

type Said = { key: string; status: number; body: string; replayed: boolean }

const KEYS = 12
const STEPS = 60

async function playHistory(seed: string): Promise<void> {
  const prng = new Prng(seed)
  const random = () => prng.next()
  const pick = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T
  const settings = settingsFor(fixture, upstream.url, { deadline: '60ms' })
  const gone = settingsFor(fixture, 'http://127.0.0.1:9', { deadline: '60ms' })
  const gateways: RunningGateway[] = [await runGateway(settings), await runGateway(settings)]
  const keys = Array.from({ length: KEYS }, () => randomUUID())
  /** The behaviour that each request to the upstream met, by key. */
  const met = new Map<string, Behaviour[]>()
  const said: Said[] = []
  let begun = upstream.received.length
  let isGone = false

  for (let step = 0; step < STEPS; step++) {
    const action = random()
    if (action < 0.08) {
      const index = Math.floor(random() * 2)
      await gateways[index]?.stop()
      gateways[index] = await runGateway(isGone ? gone : settings)
      continue
    }
    if (action < 0.16) {
      isGone = !isGone
      for (const gateway of gateways) {
        gateway.write(isGone ? gone : settings)
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
    const chosen = Array.from({ length: 1 + Math.floor(random() * 3) }, () => pick(keys))
    const answers = await Promise.all(
      chosen.map(async (key): Promise<Said> => {
        const answer = await pay(pick(gateways), key)
        const replayed = answer.headers.get('idempotent-replayed') === 'true'
        return { key, status: answer.status, body: await answer.text(), replayed }
      }),
    )
    said.push(...answers)
    for (const request of upstream.received.slice(begun)) {
      const key = headerOf(request, 'idempotency-key')?.replaceAll('"', '') ?? ''
      met.set(key, [...(met.get(key) ?? []), behaviour])
    }
    begun = upstream.received.length
  }

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
  await Promise.all(gateways.map((gateway) => gateway.stop()))
}

const SEEDS = wholeOrSample(200, 4)

test.each(Array.from({ length: SEEDS }, (_, n) => `gateway-${n + 1}`))('%s sends nothing twice', playHistory)

import { beforeEach, expect, it } from 'vitest'
import type { StoreHolds } from '@/sdk/stores/store'
import { createManualClock, okResponse } from '../support'
import {
  again,
  beginning,
  freshRequest,
  type Harness,
  type HoldPlacing,
  hold,
  LEASE_PASSED_MS,
} from './harness'

const SCOPE = 'web/POST /v1/payments'
const ROUTE = 'POST /v1/payments'

export function holdCases(harness: () => Harness): void {
  /** Of a process of its own, whose time only the case moves. */
  let holds: StoreHolds
  let time: ReturnType<typeof createManualClock>
  beforeEach(async () => {
    time = createManualClock()
    const store = await harness().openStore({ clock: time.clock })
    if (store.holds === undefined) throw new Error('every store has holds')
    holds = store.holds
    await harness().clearHolds()
    // A route, a caller and a scope that the store has seen.
    await harness().store.acquire(freshRequest({ scope: SCOPE }))
    await harness().store.acquire(freshRequest({ scope: 'shop/POST /v1/refunds' }))
  })
  const readAgain = () => {
    time.skip(2_001)
    return holds.refresh()
  }
  const place = async (placing: HoldPlacing) => {
    expect(await harness().placeHold(placing)).toBe('placed')
    await readAgain()
  }
  const held = (key: string | null = 'k', scope = SCOPE) => holds.findExecutionHold(scope, key) !== null

  it.each([
    { kind: 'store' },
    { kind: 'route', route: ROUTE },
    { kind: 'caller', caller: 'web' },
    { kind: 'key', scope: SCOPE, key: 'k' },
  ] as const)('of a $kind holds its executions', async (placing) => {
    await holds.refresh()
    expect(held()).toBe(false)
    await place(placing)
    expect(held()).toBe(true)
    expect(held('another')).toBe(placing.kind !== 'key')
    expect(held(null)).toBe(placing.kind !== 'key')
    expect(held('k', 'shop/POST /v1/refunds')).toBe(placing.kind === 'store')
    expect(holds.findStepHold(SCOPE, 'charge')).toBeNull()
    const leftMs = holds.findExecutionHold(SCOPE, 'k')?.leftMs ?? 0
    expect(leftMs).toBeGreaterThan(30_000)
    expect(leftMs).toBeLessThanOrEqual(60_000)
  })

  it('of a step holds it everywhere, or on its route', async () => {
    await place({ kind: 'step', step: 'charge' })
    await place({ kind: 'step', step: 'mail', route: ROUTE })
    const heldOn = (scope: string) =>
      ['charge', 'mail', 'other'].filter((step) => holds.findStepHold(scope, step) !== null)
    expect([heldOn(SCOPE), heldOn('shop/POST /v1/refunds'), held()]).toEqual([
      ['charge', 'mail'],
      ['charge'],
      false,
    ])
  })

  it('of a UUID key holds that key', async () => {
    const key = '0b0c9a3e-6c5e-4b7e-9d0a-1f2e3d4c5b6a'
    await place({ kind: 'key', scope: SCOPE, key })
    expect([held(key), held(key.toUpperCase())]).toEqual([true, false])
  })

  it('is lifted once, and ends by itself on this process’s clock', async () => {
    await place({ kind: 'store', id: 'one' })
    expect([await harness().liftHold('one'), await harness().liftHold('one')]).toEqual(['lifted', 'ended'])
    expect(await harness().liftHold('nobodys')).toBe('unknown')
    await readAgain()
    expect(held()).toBe(false)
    await place({ kind: 'store', lastsMs: 30_000 })
    time.advance(30_000)
    expect(held()).toBe(false)
  })

  it('placed again under its id is the same one; another one under it is refused', async () => {
    await place({ kind: 'store', id: 'twice' })
    await place({ kind: 'store', id: 'twice' })
    expect(await harness().placeHold({ kind: 'route', route: ROUTE, id: 'twice' })).toBe('id_used')
  })

  it.each([
    ['past', { kind: 'store', lastsMs: 0 }],
    ['too_long', { kind: 'store', lastsMs: 24 * 3_600_000 + 1 }],
    ['unknown_route', { kind: 'route', route: 'POST /v1/paymants' }],
    ['unknown_caller', { kind: 'caller', caller: 'wep' }],
    ['unknown_scope', { kind: 'key', scope: 'web/POST /v1/paymants', key: 'k' }],
  ] satisfies [string, HoldPlacing][])('by mistake says %s, and holds nothing', async (said, placing) => {
    expect(await harness().placeHold(placing)).toBe(said)
    await readAgain()
    expect(held()).toBe(false)
  })

  it('of two on one thing, the one that ends last counts', async () => {
    await place({ kind: 'store', lastsMs: 20_000 })
    await place({ kind: 'store', lastsMs: 50_000 })
    expect(holds.findExecutionHold(SCOPE, 'k')?.leftMs).toBeGreaterThan(30_000)
  })

  it('looking says what acquire would, and changes nothing', async () => {
    const { store, ageLease } = harness()
    const look = async (key: string) => (await holds.look(freshRequest({ key }))).kind
    expect(await look('never-seen')).toBe('held')
    const [live, passed, retryable, unknown, open, done] = [
      await hold(store),
      await hold(store),
      await hold(store),
      await hold(store),
      await hold(store),
      await hold(store),
    ]
    await ageLease(passed, LEASE_PASSED_MS)
    await store.abandon(retryable)
    for (const holder of [unknown, open]) await store.beginEffect(holder, beginning())
    await store.abandon(unknown)
    await ageLease(open, LEASE_PASSED_MS)
    await store.complete(done, okResponse('seen'))
    for (let turn = 0; turn < 2; turn += 1) {
      expect(
        await Promise.all([live, passed, retryable, unknown, open, done].map(({ key }) => look(key))),
      ).toEqual(['in_progress', 'held', 'held', 'unknown', 'unknown', 'replay'])
    }
    const other = Buffer.alloc(16, 9)
    for (const holder of [live, retryable, unknown, done])
      expect((await holds.look({ ...again(holder), fingerprint: other })).kind).toBe('mismatch')
    const replay = await holds.look(again(done))
    expect(replay.kind === 'replay' && Buffer.from(replay.body).toString()).toBe('seen')
    // Nobody has taken anything over, or made it unknown.
    expect(await store.heartbeat(passed, 10_000)).toBe(true)
    expect(await store.heartbeat(open, 10_000)).toBe(true)
    expect(await store.acquire(again(retryable))).toMatchObject({ kind: 'takeover', attempt: 2 })
  })
}

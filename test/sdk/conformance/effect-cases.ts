import { expect, it } from 'vitest'
import { okResponse } from '../support'
import { again, beginning, committed, type Harness, hold, kindOf, LEASE_PASSED_MS, takeOver } from './harness'

export function effectCases(harness: () => Harness): void {
  it('is begun once by a holder, and busy for it until it is settled', async () => {
    const { store } = harness()
    const holder = await hold(store)
    expect(await store.beginEffect(holder, beginning())).toEqual({ kind: 'begun', providerKey: 'p' })
    expect(await store.beginEffect(holder, beginning())).toEqual({ kind: 'busy' })
    expect(await store.beginEffect(holder, beginning({ step: 'mail' }))).toMatchObject({ kind: 'begun' })
    expect(await store.settleEffect(holder, 'charge', committed())).toBe(true)
    const { state: _, ...done } = committed()
    expect(await store.beginEffect(holder, beginning())).toEqual({ kind: 'committed', ...done })
  })

  it('is settled once: the same end said again is taken, another one is not', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.beginEffect(holder, beginning())
    expect(await store.settleEffect(holder, 'charge', committed())).toBe(true)
    expect(await store.settleEffect(holder, 'charge', committed())).toBe(true)
    expect(await store.settleEffect(holder, 'charge', committed('ch_2'))).toBe(false)
    expect(await store.settleEffect(holder, 'charge', { state: 'failed' })).toBe(false)
    expect(await store.beginEffect(holder, beginning())).toMatchObject({
      kind: 'committed',
      reference: 'ch_1',
    })
  })

  it('that nobody began cannot be settled', async () => {
    const { store } = harness()
    const holder = await hold(store)
    expect(await store.settleEffect(holder, 'charge', committed())).toBe(false)
    await store.checkpoint(holder, 'point', null)
    expect(await store.settleEffect(holder, 'point', committed())).toBe(false)
  })

  it('keeps amounts of 64 bits, and any JSON', async () => {
    const { store } = harness()
    const holder = await hold(store)
    const result = {
      nothing: null,
      text: 'grüße 😀 "\\ \n',
      numbers: [0, -1.5, 1e21, 9_007_199_254_740_991],
      empty: [[], {}],
      deep: { a: { b: [true, false] } },
    }
    for (const [step, amountMinor] of [
      ['most', 2n ** 63n - 1n],
      ['least', -(2n ** 63n)],
    ] as const) {
      await store.beginEffect(holder, beginning({ step }))
      await store.settleEffect(holder, step, { ...committed(), amountMinor, result })
      expect(await store.beginEffect(holder, beginning({ step }))).toMatchObject({ amountMinor, result })
    }
    await store.abandon(holder)
    expect(await kindOf(store.acquire(again(holder)))).toBe('unknown')
  })

  it('prolongs the lease as it begins', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await harness().ageLease(holder, LEASE_PASSED_MS)
    await store.beginEffect(holder, beginning({ leaseMs: 30_000 }))
    const seen = await store.acquire(again(holder))
    expect(seen.kind === 'in_progress' && seen.leaseLeftMs).toBeGreaterThan(20_000)
  })

  it('begun and not settled, it makes a lease that passed unknown, and the fence stays', async () => {
    const { store, ageLease } = harness()
    const holder = await hold(store)
    await store.beginEffect(holder, beginning())
    await ageLease(holder, LEASE_PASSED_MS)
    for (let turn = 0; turn < 2; turn += 1)
      expect(await store.acquire(again(holder))).toMatchObject({
        kind: 'unknown',
        fence: holder.fence,
        attempt: 1,
      })
    // If the holder lives, it may still say how it ended, but begin nothing.
    expect(await store.heartbeat(holder, 10_000)).toBe(false)
    expect(await store.beginEffect(holder, beginning({ step: 'mail' }))).toEqual({ kind: 'stale' })
    expect(await store.checkpoint(holder, 'point', null)).toBe(false)
    expect(await store.settleEffect(holder, 'charge', committed())).toBe(true)
    expect(await kindOf(store.acquire(again(holder)))).toBe('unknown')
    expect(await store.complete(holder, okResponse())).toMatchObject({ createdAt: expect.any(Date) })
    expect(await kindOf(store.acquire(again(holder)))).toBe('replay')
  })

  it('is settled late where nobody has begun it anew, and not after that', async () => {
    const { store, ageLease, release } = harness()
    const zombie = await hold(store)
    await store.beginEffect(zombie, beginning())
    await ageLease(zombie, LEASE_PASSED_MS)
    expect(await release(zombie)).toBe(true)
    const holder = await hold(store, again(zombie))
    expect(await store.settleEffect(zombie, 'charge', { state: 'unknown' })).toBe(true)
    expect(await store.beginEffect(holder, beginning())).toEqual({ kind: 'begun', providerKey: 'p' })
    expect(await store.settleEffect(zombie, 'charge', committed())).toBe(false)
    expect(await store.settleEffect(holder, 'charge', committed('ch_2'))).toBe(true)
  })

  it('that an earlier attempt committed is not begun again', async () => {
    const { store } = harness()
    const zombie = await hold(store)
    await store.beginEffect(zombie, beginning())
    await store.settleEffect(zombie, 'charge', committed())
    const holder = await takeOver(harness(), zombie)
    expect(await store.beginEffect(holder, beginning())).toMatchObject({
      kind: 'committed',
      reference: 'ch_1',
    })
    expect(await store.complete(holder, okResponse())).not.toBe('stale')
  })

  it('and a checkpoint cannot have one name', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.beginEffect(holder, beginning())
    await expect(store.checkpoint(holder, 'charge', null)).rejects.toThrow(
      'step charge is an effect, not a checkpoint',
    )
    expect(await store.settleEffect(holder, 'charge', committed())).toBe(true)
  })
}

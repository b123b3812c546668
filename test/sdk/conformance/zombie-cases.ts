import { expect, it } from 'vitest'
import { okResponse } from '../support'
import {
  again,
  beginning,
  committed,
  freshRequest,
  type Harness,
  hold,
  kindOf,
  LEASE_PASSED_MS,
  takeOver,
} from './harness'

export function zombieCases(harness: () => Harness): void {
  it('a lease that passed is taken over, with a higher fence, its steps and its first creation', async () => {
    const { store } = harness()
    const request = freshRequest()
    const first = await store.acquire(request)
    const zombie = { ...request, fence: first.kind === 'acquired' ? first.fence : 0n }
    await store.checkpoint(zombie, 'priced', { cents: 5 })
    await store.beginEffect(zombie, beginning())
    await store.settleEffect(zombie, 'charge', committed())
    await harness().ageLease(zombie, LEASE_PASSED_MS)
    const next = await store.acquire({ ...request, owner: 'second' })
    expect(next).toMatchObject({
      kind: 'takeover',
      attempt: 2,
      owner: 'second',
      recoveryPoint: 'charge',
      createdAt: first.kind === 'acquired' ? first.createdAt : null,
    })
    if (next.kind !== 'takeover') return
    expect(next.fence).toBeGreaterThan(zombie.fence)
    expect(next.steps).toEqual([
      {
        ...{ step: 'priced', name: 'priced', kind: 'checkpoint', state: 'committed' },
        ...{ reference: null, amountMinor: null, currency: null, result: { cents: 5 } },
      },
      { step: 'charge', name: 'stripe.charge', kind: 'http', ...committed() },
    ])
  })

  it('a stale holder writes nothing, in any verb', async () => {
    const { store } = harness()
    const zombie = await hold(store)
    const holder = await takeOver(harness(), zombie)
    const writeAll = async () => [
      await store.heartbeat(zombie, 1_000),
      await store.complete(zombie, okResponse()),
      await store.giveBack(zombie),
      await store.abandon(zombie),
      await store.checkpoint(zombie, 'point', null),
      (await store.beginEffect(zombie, beginning())).kind,
      await store.settleEffect(zombie, 'charge', { state: 'failed' }),
    ]
    const REFUSED = [false, 'stale', 'stale', 'stale', false, 'stale', false]
    expect(await writeAll()).toEqual(REFUSED)
    expect(await store.beginEffect(holder, beginning())).toEqual({ kind: 'begun', providerKey: 'p' })
    expect(await writeAll()).toEqual(REFUSED)
    expect(await store.complete(holder, okResponse())).toMatchObject({ createdAt: expect.any(Date) })
    expect(await writeAll()).toEqual(REFUSED)
    expect(await store.acquire(again(zombie))).toMatchObject({
      kind: 'replay',
      fence: holder.fence,
      attempt: 2,
    })
  })

  it('nor after the key was released, given back, or began another life', async () => {
    const { store, release, ageLease, expireRecord } = harness()
    const ends: [string, (next: Awaited<ReturnType<typeof hold>>) => Promise<unknown>][] = [
      ['given back', (next) => store.giveBack(next)],
      ['abandoned', (next) => store.abandon(next)],
      [
        'expired',
        async (next) => {
          await store.complete(next, okResponse())
          await expireRecord(next)
        },
      ],
    ]
    for (const [what, end] of ends) {
      const zombie = await hold(store)
      await ageLease(zombie, LEASE_PASSED_MS)
      expect(await release(zombie), what).toBe(true)
      await end(await hold(store, again(zombie)))
      const after = [
        await store.complete(zombie, okResponse()),
        await store.giveBack(zombie),
        await store.abandon(zombie),
        await store.heartbeat(zombie, 1_000),
        await store.beginEffect(zombie, beginning()),
      ]
      expect(after, what).toEqual(['stale', 'stale', 'stale', false, { kind: 'stale' }])
      expect(await kindOf(store.acquire(again(zombie)))).toBe(what === 'abandoned' ? 'takeover' : 'acquired')
    }
  })

  it('the same completion said again is recognised, however often', async () => {
    const { store } = harness()
    const holder = await hold(store)
    const first = await store.complete(holder, okResponse())
    for (let turn = 0; turn < 3; turn += 1) expect(await store.complete(holder, okResponse())).toEqual(first)
  })

  it('fences rise over a give back, a completion and an expiry', async () => {
    const { store, expireRecord } = harness()
    const first = await hold(store)
    await store.giveBack(first)
    const second = await hold(store, again(first))
    await store.complete(second, okResponse())
    await expireRecord(second)
    const third = await hold(store, again(first))
    expect(second.fence).toBeGreaterThan(first.fence)
    expect(third.fence).toBeGreaterThan(second.fence)
  })

  it('a lease that passed and that nobody took is still its holder’s', async () => {
    const { store, ageLease } = harness()
    const [late, beating] = [await hold(store), await hold(store)]
    for (const holder of [late, beating]) await ageLease(holder, LEASE_PASSED_MS)
    expect(await store.complete(late, okResponse())).toMatchObject({ createdAt: expect.any(Date) })
    expect(await store.heartbeat(beating, 10_000)).toBe(true)
    expect(await kindOf(store.acquire(again(beating)))).toBe('in_progress')
  })

  it('a heartbeat prolongs a lease and never shortens it', async () => {
    const { store, ageLease } = harness()
    const holder = await hold(store, freshRequest({ leaseMs: 30_000 }))
    expect(await store.heartbeat(holder, 1)).toBe(true)
    await ageLease(holder, 15_000)
    expect(await kindOf(store.acquire(again(holder)))).toBe('in_progress')
    expect(await store.heartbeat(holder, 60_000)).toBe(true)
    const seen = await store.acquire(again(holder))
    expect(seen.kind === 'in_progress' && seen.leaseLeftMs).toBeGreaterThan(50_000)
  })
}

import { expect, it } from 'vitest'
import { okResponse } from '../support'
import { again, beginning, committed, type Harness, hold, kindOf, LEASE_PASSED_MS } from './harness'

export function endingCases(harness: () => Harness): void {
  it('given back without steps, a key is absent, for another request too', async () => {
    const { store } = harness()
    const holder = await hold(store)
    expect(await store.giveBack(holder)).toBe('absent')
    expect(await store.acquire({ ...again(holder), fingerprint: Buffer.alloc(16, 9) })).toMatchObject({
      kind: 'acquired',
      attempt: 1,
    })
  })

  it('given back with steps, it is retryable and keeps them', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.checkpoint(holder, 'priced', { cents: 5 })
    await store.beginEffect(holder, beginning())
    await store.settleEffect(holder, 'charge', committed())
    expect(await store.giveBack(holder)).toBe('retryable')
    const next = await store.acquire(again(holder))
    expect(next).toMatchObject({ kind: 'takeover', attempt: 2, recoveryPoint: 'charge' })
    expect(next.kind === 'takeover' && next.steps.map(({ step }) => step)).toEqual(['priced', 'charge'])
  })

  it('given back with nothing but failed effects, another request may have the key', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.beginEffect(holder, beginning())
    await store.settleEffect(holder, 'charge', { state: 'failed' })
    expect(await store.giveBack(holder)).toBe('retryable')
    const other = { ...again(holder), fingerprint: Buffer.alloc(16, 9) }
    const next = await hold(store, other)
    expect(await store.acquire(again(holder))).toEqual({ kind: 'mismatch', state: 'leased' })
    await store.complete(next, okResponse())
    expect(await kindOf(store.acquire(other))).toBe('replay')
  })

  it('given back with failed effects and a checkpoint, it stays its own request’s', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.checkpoint(holder, 'priced', null)
    await store.beginEffect(holder, beginning())
    await store.settleEffect(holder, 'charge', { state: 'failed' })
    await store.giveBack(holder)
    expect(await kindOf(store.acquire({ ...again(holder), fingerprint: Buffer.alloc(16, 9) }))).toBe(
      'mismatch',
    )
  })

  it('given back over an effect of unknown end, it is unknown', async () => {
    const { store } = harness()
    for (const settled of [false, true]) {
      const holder = await hold(store)
      await store.beginEffect(holder, beginning())
      if (settled) await store.settleEffect(holder, 'charge', { state: 'unknown' })
      expect(await store.giveBack(holder)).toBe('unknown')
      expect(await kindOf(store.acquire(again(holder)))).toBe('unknown')
    }
  })

  it('a throw before any effect is retryable, at once', async () => {
    const { store } = harness()
    const holder = await hold(store)
    expect(await store.abandon(holder)).toBe('retryable')
    expect(await store.acquire(again(holder))).toMatchObject({ kind: 'takeover', attempt: 2, steps: [] })
  })

  it.each(['begun', 'committed', 'unknown'] as const)(
    'a throw after an effect (%s) is unknown',
    async (state) => {
      const { store } = harness()
      const holder = await hold(store)
      await store.beginEffect(holder, beginning())
      if (state !== 'begun')
        await store.settleEffect(holder, 'charge', state === 'committed' ? committed() : { state })
      expect(await store.abandon(holder)).toBe('unknown')
      expect(await store.acquire(again(holder))).toMatchObject({ kind: 'unknown', fence: holder.fence })
      // However much time passes: only somebody who knows ends this.
      await harness().ageLease(holder, LEASE_PASSED_MS)
      expect(await kindOf(store.acquire(again(holder)))).toBe('unknown')
    },
  )

  it('a throw after effects that are known to have failed is retryable', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await store.beginEffect(holder, beginning())
    await store.settleEffect(holder, 'charge', { state: 'failed' })
    expect(await store.abandon(holder)).toBe('retryable')
  })

  it('an unknown key is ended by its holder’s completion, or by a release', async () => {
    const { store, release } = harness()
    const [late, released] = [await hold(store), await hold(store)]
    for (const holder of [late, released]) {
      await store.beginEffect(holder, beginning())
      await store.abandon(holder)
    }
    expect(await store.complete(late, okResponse())).toMatchObject({ createdAt: expect.any(Date) })
    expect(await release(late)).toBe(false)
    expect(await release(released)).toBe(true)
    expect(await kindOf(store.acquire(again(released)))).toBe('takeover')
    expect(await store.complete(released, okResponse())).toBe('stale')
  })

  it('a live lease is not released', async () => {
    const { store, release } = harness()
    const holder = await hold(store)
    expect(await release(holder)).toBe(false)
    expect(await store.heartbeat(holder, 1_000)).toBe(true)
  })

  it('a checkpoint is overwritten by its name, and the last one reached is the recovery point', async () => {
    const { store } = harness()
    const holder = await hold(store)
    for (const [name, data] of [
      ['a', 1],
      ['b', { two: [2] }],
      ['a', 'three'],
    ] as const)
      expect(await store.checkpoint(holder, name, data)).toBe(true)
    await store.abandon(holder)
    const next = await store.acquire(again(holder))
    expect(next).toMatchObject({ kind: 'takeover', recoveryPoint: 'a' })
    expect(next.kind === 'takeover' && next.steps.map(({ step, result }) => [step, result])).toEqual([
      ['a', 'three'],
      ['b', { two: [2] }],
    ])
  })
}

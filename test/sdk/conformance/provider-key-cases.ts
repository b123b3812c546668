import { createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import type { Holder } from '@/sdk/stores/store'
import { again, beginning, committed, type Harness, hold, kindOf } from './harness'

const keyAfter = (failures: number) =>
  failures === 0 ? 'p' : createHash('sha256').update(`p/${failures}`).digest('hex')

export function providerKeyCases(harness: () => Harness): void {
  const begin = (holder: Holder, providerKey: string | null = 'p') =>
    harness().store.beginEffect(holder, beginning({ providerKey }))
  const settle = (holder: Holder, state: 'failed' | 'unknown' | 'not_called') =>
    harness().store.settleEffect(holder, 'charge', { state })
  /** An operator releases the key while the end of its effect is unknown. */
  async function releaseUnknown(holder: Holder): Promise<Holder> {
    const { store, release } = harness()
    expect(await store.abandon(holder)).toBe('unknown')
    expect(await release(holder)).toBe(true)
    return hold(store, again(holder))
  }

  it('each call after one that is known to have failed has a key of its own', async () => {
    const { store } = harness()
    let holder = await hold(store)
    for (let failures = 0; failures < 4; failures += 1) {
      expect(await begin(holder)).toEqual({ kind: 'begun', providerKey: keyAfter(failures) })
      // Said twice, it is one failure.
      for (let turn = 0; turn < 2; turn += 1) expect(await settle(holder, 'failed')).toBe(true)
      if (failures === 2) {
        expect(await store.abandon(holder)).toBe('retryable')
        holder = await hold(store, again(holder))
      }
    }
  })

  it('a call whose end is unknown keeps its key, whatever fails later', async () => {
    let holder = await hold(harness().store)
    await begin(holder)
    expect(await settle(holder, 'failed')).toBe(true)
    expect(await begin(holder)).toEqual({ kind: 'begun', providerKey: keyAfter(1) })
    expect(await settle(holder, 'unknown')).toBe(true)
    for (let turn = 0; turn < 2; turn += 1) {
      if (turn === 0) holder = await releaseUnknown(holder)
      expect(await begin(holder)).toEqual({ kind: 'begun', providerKey: keyAfter(1) })
      expect(await settle(holder, 'failed')).toBe(true)
    }
    expect(await begin(holder)).toEqual({ kind: 'begun', providerKey: keyAfter(1) })
  })

  it('a call of unknown end may be begun again by its own holder, with the same key', async () => {
    const holder = await hold(harness().store)
    await begin(holder)
    expect(await settle(holder, 'unknown')).toBe(true)
    expect(await begin(holder)).toEqual({ kind: 'begun', providerKey: 'p' })
  })

  it('begun and not called proves nothing about an earlier call', async () => {
    const { store } = harness()
    const holder = await hold(store)
    await begin(holder)
    expect(await settle(holder, 'not_called')).toBe(true)
    expect(await begin(holder)).toEqual({ kind: 'begun', providerKey: 'p' })
    await settle(holder, 'unknown')
    const next = await releaseUnknown(holder)
    expect(await begin(next)).toEqual({ kind: 'begun', providerKey: 'p' })
    expect(await settle(next, 'not_called')).toBe(true)
    expect(await store.abandon(next)).toBe('unknown')
    expect(await kindOf(store.acquire(again(next)))).toBe('unknown')
  })

  it('without a provider key, an effect of unknown end is never begun again', async () => {
    const holder = await hold(harness().store)
    expect(await begin(holder, null)).toEqual({ kind: 'begun', providerKey: null })
    const next = await releaseUnknown(holder)
    expect(await begin(next, null)).toEqual({ kind: 'unsettled' })
    // Nor with one that its first call did not have.
    expect(await begin(next, 'p')).toEqual({ kind: 'unsettled' })
  })

  it('without a provider key, one that is known to have failed may be begun again', async () => {
    const holder = await hold(harness().store)
    await begin(holder, null)
    await settle(holder, 'failed')
    expect(await begin(holder, null)).toEqual({ kind: 'begun', providerKey: null })
  })

  it('another provider key than that of a call of unknown end is refused', async () => {
    const holder = await hold(harness().store)
    await begin(holder)
    const next = await releaseUnknown(holder)
    expect(await begin(next, 'another')).toEqual({ kind: 'unsettled' })
    expect(await harness().store.settleEffect(holder, 'charge', committed())).toBe(true)
    expect(await begin(next)).toMatchObject({ kind: 'committed' })
  })
}

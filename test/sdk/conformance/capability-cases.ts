import { expect, it } from 'vitest'
import { okResponse } from '../support'
import { again, freshRequest, type Harness, hold } from './harness'

const SKEWS_MS = [600_000, -600_000]

/** A store has what it declares, and has not what it does not. */
export function capabilityCases(harness: () => Harness): void {
  it('transactions', async () => {
    const { store } = harness()
    const { transactions } = store.capabilities
    expect([typeof store.transaction, typeof store.completeWithin]).toEqual(
      transactions ? ['function', 'function'] : ['undefined', 'undefined'],
    )
    if (!transactions) return
    const [kept, undone] = [await hold(store), await hold(store)]
    for (const [holder, end] of [
      [kept, 'commit'],
      [undone, 'rollback'],
    ] as const)
      await store.transaction?.(holder, async (tx) => {
        expect(await store.completeWithin?.(tx, holder, okResponse())).not.toBe('stale')
        return end
      })
    expect((await store.acquire(again(kept))).kind).toBe('replay')
    expect((await store.acquire(again(undone))).kind).toBe('in_progress')
  })

  it.each(SKEWS_MS)(
    'clock: a process whose clock is %i ms off writes no second record',
    async (wallClockSkewMs) => {
      const { store } = harness()
      const skewed = await harness().openStore({ wallClockSkewMs })
      const holder = await hold(store, freshRequest({ leaseMs: 30_000 }))
      const seen = await skewed.acquire(again(holder))
      // Where clients compare leases, one that is ahead may take a live lease for dead: a second execution.
      const wrong = store.capabilities.clock === 'client' && wallClockSkewMs > 0 ? ['takeover'] : []
      expect(['in_progress', ...wrong]).toContain(seen.kind)
      const second = { ...holder, fence: seen.kind === 'takeover' ? seen.fence : 0n }
      const records = [
        await store.complete(holder, okResponse('1')),
        await skewed.complete(second, okResponse('2')),
      ]
      expect(records.filter((record) => record === 'stale')).toHaveLength(1)
      for (const one of [store, skewed]) expect((await one.acquire(again(holder))).kind).toBe('replay')
      // The other way round, and a fence above all before.
      const fresh = await hold(skewed)
      expect(await skewed.giveBack(fresh)).toBe('absent')
      const next = await hold(store, again(fresh))
      expect(next.fence).toBeGreaterThan(fresh.fence)
    },
  )

  it('names its engine as telemetry does', () => {
    expect(['postgresql', 'redis', 'dynamodb']).toContain(harness().store.system)
  })
}

import { beforeEach, expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import type { Holder, Store } from '@/sdk/stores/store'
import { okResponse } from '../support'
import { again, beginning, committed, freshRequest, type Harness, hold, kindOf, type Verb } from './harness'

/** Says it again as the SDK does, until the store answers; else what it said last. */
async function sayAgain<T>(say: () => Promise<T>): Promise<T | 'unavailable'> {
  for (let turn = 0; turn < 3; turn += 1) {
    try {
      return await say()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error
    }
  }
  return 'unavailable'
}

/** A reply is lost, and with it nothing else: what was done is done, once, and is recognised when it is said again. */
export function lostReplyCases(harness: () => Harness): void {
  let lossy: Store
  let holder: Holder
  beforeEach(async () => {
    const { losing } = harness()
    lossy = losing.store
    // Connected, so that the next thing on the line is the verb.
    holder = await hold(lossy)
  })
  const lose = (verb: Verb) => harness().losing.loseNextReply(verb)

  it('acquire: goes on with the lease that it has', async () => {
    const request = freshRequest()
    lose('acquire')
    const acquired = await lossy.acquire(request)
    expect(acquired).toMatchObject({ kind: 'acquired', attempt: 1 })
    expect(harness().losing.lost()).toBe(1)
    expect(await harness().store.acquire(request)).toMatchObject({
      kind: 'in_progress',
      attempt: 1,
      fence: acquired.kind === 'acquired' && acquired.fence,
    })
  })

  it('acquire that takes over: is one takeover, with its steps', async () => {
    await lossy.checkpoint(holder, 'priced', { cents: 5 })
    await lossy.abandon(holder)
    lose('acquire')
    expect(await lossy.acquire(again(holder))).toMatchObject({
      kind: 'takeover',
      attempt: 2,
      recoveryPoint: 'priced',
      steps: [{ step: 'priced', result: { cents: 5 } }],
    })
    expect(harness().losing.lost()).toBe(1)
  })

  it('acquire of what is done: is a replay', async () => {
    await lossy.complete(holder, okResponse())
    lose('acquire')
    expect(await kindOf(lossy.acquire(again(holder)))).toBe('replay')
    expect(harness().losing.lost()).toBe(1)
  })

  it('complete: the record is there, once', async () => {
    lose('complete')
    expect(await sayAgain(() => lossy.complete(holder, okResponse()))).toMatchObject({
      createdAt: expect.any(Date),
    })
    expect(harness().losing.lost()).toBe(1)
    expect(await lossy.acquire(again(holder))).toMatchObject({
      kind: 'replay',
      fence: holder.fence,
      attempt: 1,
    })
  })

  it('heartbeat: the lease is prolonged', async () => {
    lose('heartbeat')
    expect(await sayAgain(() => lossy.heartbeat(holder, 60_000))).toBe(true)
    expect(harness().losing.lost()).toBe(1)
    const seen = await lossy.acquire(again(holder))
    expect(seen.kind === 'in_progress' && seen.leaseLeftMs).toBeGreaterThan(30_000)
  })

  it('beginEffect: is begun once; whoever says it again is told so, or that it is busy', async () => {
    lose('beginEffect')
    expect(['begun', 'busy']).toContain(
      await sayAgain(async () => (await lossy.beginEffect(holder, beginning())).kind),
    )
    expect(harness().losing.lost()).toBe(1)
    expect(await lossy.settleEffect(holder, 'charge', committed())).toBe(true)
    await lossy.abandon(holder)
    await harness().release(holder)
    const next = await lossy.acquire(again(holder))
    expect(next.kind === 'takeover' && next.steps).toMatchObject([{ step: 'charge', state: 'committed' }])
  })

  it('settleEffect: a failure counts once', async () => {
    await lossy.beginEffect(holder, beginning())
    lose('settleEffect')
    expect(await sayAgain(() => lossy.settleEffect(holder, 'charge', { state: 'failed' }))).toBe(true)
    expect(harness().losing.lost()).toBe(1)
    const once = await hold(lossy)
    await lossy.beginEffect(once, beginning())
    await lossy.settleEffect(once, 'charge', { state: 'failed' })
    expect(await lossy.beginEffect(holder, beginning())).toEqual(await lossy.beginEffect(once, beginning()))
  })

  it('settleEffect: a commit is kept', async () => {
    await lossy.beginEffect(holder, beginning())
    lose('settleEffect')
    expect(await sayAgain(() => lossy.settleEffect(holder, 'charge', committed()))).toBe(true)
    expect(await lossy.beginEffect(holder, beginning())).toMatchObject({
      kind: 'committed',
      reference: 'ch_1',
    })
  })

  it('checkpoint: is reached', async () => {
    lose('checkpoint')
    expect(await sayAgain(() => lossy.checkpoint(holder, 'priced', 1))).toBe(true)
    expect(harness().losing.lost()).toBe(1)
    await lossy.abandon(holder)
    expect(await lossy.acquire(again(holder))).toMatchObject({ recoveryPoint: 'priced' })
  })

  it('giveBack, abandon: the key is what they made it, once', async () => {
    lose('giveBack')
    expect(['absent', 'stale']).toContain(await sayAgain(() => lossy.giveBack(holder)))
    expect(harness().losing.lost()).toBe(1)
    expect(await lossy.acquire(again(holder))).toMatchObject({ kind: 'acquired', attempt: 1 })
    const thrower = await hold(lossy)
    lose('abandon')
    expect(['retryable', 'stale']).toContain(await sayAgain(() => lossy.abandon(thrower)))
    expect(harness().losing.lost()).toBe(1)
    expect(await lossy.acquire(again(thrower))).toMatchObject({ kind: 'takeover', attempt: 2 })
  })
}

import { expect, it } from 'vitest'
import type { Acquired, Store } from '@/sdk/stores/store'
import { okResponse } from '../support'
import { again, beginning, freshRequest, type Harness, hold, kindOf, LEASE_PASSED_MS } from './harness'

const RACERS = 50
const PROCESSES = 5
const ROUNDS = 4

export function raceCases(harness: () => Harness): void {
  let stores: Promise<Store[]> | undefined
  /** By turns on the connections of several processes, all at once. */
  async function race<T>(run: (store: Store, racer: number) => Promise<T>): Promise<T[]> {
    stores ??= Promise.all(Array.from({ length: PROCESSES }, () => harness().openStore()))
    const racing = await stores
    // Connected before: a race to connect is another one.
    await Promise.all(racing.map((store) => store.acquire(freshRequest())))
    return Promise.all(
      Array.from({ length: RACERS }, (_, racer) => run(racing[racer % PROCESSES] ?? harness().store, racer)),
    )
  }
  const count = (answers: Acquired[]) =>
    answers.reduce<Record<string, number>>(
      (sum, { kind }) => Object.assign(sum, { [kind]: (sum[kind] ?? 0) + 1 }),
      {},
    )

  it(`${RACERS} acquires of a new key: one has it`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const request = freshRequest()
      expect(count(await race((store) => store.acquire(request)))).toEqual({
        acquired: 1,
        in_progress: RACERS - 1,
      })
    }
  })

  it(`${RACERS} acquires of a lease that passed: one takes over, with a higher fence`, async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const holder = await hold(harness().store)
      await harness().ageLease(holder, LEASE_PASSED_MS)
      const answers = await race((store) => store.acquire(again(holder)))
      expect(count(answers)).toEqual({ takeover: 1, in_progress: RACERS - 1 })
      for (const answer of answers) expect('fence' in answer && answer.fence).toBeGreaterThan(holder.fence)
    }
  })

  it(`${RACERS} acquires of a retryable key: one takes over`, async () => {
    const holder = await hold(harness().store)
    await harness().store.abandon(holder)
    expect(count(await race((store) => store.acquire(again(holder))))).toEqual({
      takeover: 1,
      in_progress: RACERS - 1,
    })
  })

  it(`${RACERS} acquires of an expired record: one begins its new life`, async () => {
    const holder = await hold(harness().store)
    await harness().store.complete(holder, okResponse())
    await harness().expireRecord(holder)
    expect(count(await race((store) => store.acquire(again(holder))))).toEqual({
      acquired: 1,
      in_progress: RACERS - 1,
    })
  })

  it('takeover and the beginning of an effect exclude each other', async () => {
    const [one, other] = [harness().store, await harness().openStore()]
    for (let turn = 0; turn < 40; turn += 1) {
      const zombie = await hold(one)
      await harness().ageLease(zombie, LEASE_PASSED_MS)
      const [begun, retry] = await Promise.all([
        one.beginEffect(zombie, beginning({ providerKey: null })),
        other.acquire(again(zombie)),
      ])
      // Either the effect began first, and nobody took the key over; or it was refused.
      expect(begun.kind === 'begun').toBe(retry.kind !== 'takeover')
    }
  })

  it('takeover and completion exclude each other', async () => {
    const [one, other] = [harness().store, await harness().openStore()]
    for (let turn = 0; turn < 40; turn += 1) {
      const zombie = await hold(one)
      await harness().ageLease(zombie, LEASE_PASSED_MS)
      const [completed, retry] = await Promise.all([
        one.complete(zombie, okResponse()),
        other.acquire(again(zombie)),
      ])
      expect([completed === 'stale', retry.kind]).toEqual(
        retry.kind === 'takeover' ? [true, 'takeover'] : [false, 'replay'],
      )
    }
  })

  it(`${RACERS} acquires beside the completion see it in progress or done, never absent`, async () => {
    const { store } = harness()
    for (let round = 0; round < ROUNDS; round += 1) {
      const holder = await hold(store)
      const answers = await race(async (one, racer) => {
        if (racer !== RACERS / 2) return kindOf(one.acquire(again(holder)))
        return (await one.complete(holder, okResponse())) === 'stale' ? 'stale' : 'completed'
      })
      expect(answers.filter((kind) => !['in_progress', 'replay'].includes(kind))).toEqual(['completed'])
    }
  })

  it('one step that two calls of a holder begin at once is begun once', async () => {
    const holder = await hold(harness().store)
    const begun = await race((store) => store.beginEffect(holder, beginning()))
    expect(begun.filter(({ kind }) => kind === 'begun')).toHaveLength(1)
    expect(begun.filter(({ kind }) => kind === 'busy')).toHaveLength(RACERS - 1)
  })

  it('each holder of a key that is given back again and again has a higher fence', async () => {
    const request = freshRequest()
    let newest = 0n
    let holders = 0
    await race(async (store) => {
      for (let turn = 0; turn < 6; turn += 1) {
        const acquired = await store.acquire(request)
        if (acquired.kind !== 'acquired') continue
        expect(acquired.fence).toBeGreaterThan(newest)
        newest = acquired.fence
        holders += 1
        expect(await store.giveBack({ ...request, fence: acquired.fence })).toBe('absent')
      }
    })
    expect(holders).toBeGreaterThan(3)
  })
}

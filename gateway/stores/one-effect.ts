import type {
  AcquireRequest,
  EffectBeginning,
  EffectBegun,
  EffectEnd,
  Holder,
  OneEffect,
  Store,
} from '@/sdk/stores/store'

type Committed = Extract<EffectEnd, { state: 'committed' }>

/**
 * The same store, where it can begin the one effect of a key with its acquire and settle it with its completion: two round
 * trips in place of four, and the effect is still in the store before anything is sent.
 */
export function withOneEffect<Tx>(
  store: Store<Tx>,
  effect: Omit<EffectBeginning, 'leaseMs' | 'providerKey'>,
): Store<Tx> {
  const { oneEffect } = store
  return oneEffect === undefined ? store : foldOneEffect(store, oneEffect, { ...effect, providerKey: null })
}

function foldOneEffect<Tx>(
  store: Store<Tx>,
  oneEffect: OneEffect,
  effect: Omit<EffectBeginning, 'leaseMs'>,
): Store<Tx> {
  /** Begun by the acquire, and not yet asked for. */
  const begun = new Map<string, EffectBegun>()
  /** Settled, to be written with the completion. */
  const settled = new Map<string, Committed>()
  const nameOf = ({ scope, key, fence }: Pick<Holder, 'scope' | 'key' | 'fence'>) =>
    `${scope}\n${key}\n${fence}`

  /** The execution ends without it: as it was not called, that must not make the key unknown. */
  async function withdrawUnused(holder: Holder): Promise<void> {
    if (begun.get(nameOf(holder))?.kind !== 'begun') return
    await store.settleEffect(holder, effect.step, { state: 'not_called' })
    begun.delete(nameOf(holder))
  }
  /** No completion came to write it. */
  async function settleNow(holder: Holder): Promise<void> {
    const end = settled.get(nameOf(holder))
    if (end === undefined) return
    await store.settleEffect(holder, effect.step, end)
    settled.delete(nameOf(holder))
  }
  const ending = async (holder: Holder) => {
    await withdrawUnused(holder)
    await settleNow(holder)
  }

  return {
    ...store,
    async acquire(request: AcquireRequest) {
      const answer = await oneEffect.acquire(request, effect)
      const { acquired } = answer
      if (answer.begun !== null && 'fence' in acquired) {
        begun.set(nameOf({ ...request, fence: acquired.fence }), answer.begun)
      }
      return acquired
    },
    async beginEffect(holder, wanted) {
      const known = wanted.step === effect.step ? begun.get(nameOf(holder)) : undefined
      begun.delete(nameOf(holder))
      return known ?? store.beginEffect(holder, wanted)
    },
    async settleEffect(holder, step, end) {
      if (step !== effect.step || end.state !== 'committed') return store.settleEffect(holder, step, end)
      settled.set(nameOf(holder), end)
      return true
    },
    async complete(holder, response) {
      const end = settled.get(nameOf(holder))
      if (end === undefined) {
        await withdrawUnused(holder)
        return store.complete(holder, response)
      }
      const completed = await oneEffect.complete(holder, response, effect.step, end)
      settled.delete(nameOf(holder))
      return completed
    },
    async giveBack(holder) {
      await ending(holder)
      return store.giveBack(holder)
    },
    async abandon(holder) {
      await ending(holder)
      return store.abandon(holder)
    },
  }
}

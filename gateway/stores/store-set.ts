import { isDeepStrictEqual } from 'node:util'
import type { Logger } from 'pino'
import { type Clock, sleep } from '@/sdk/clock'
import { StoreUnavailableError } from '@/sdk/errors'
import type { OneEffect, Store } from '@/sdk/stores/store'
import type { StoreConfig } from '../config/store-schema'
import { type OpenStore, openStore } from './open-store'

export type NamedStore = OpenStore & {
  readonly config: StoreConfig
  /** It was reached, and has its tables and tiers. */
  isPrepared(): boolean
}

const PREPARE_RETRY_MS_MIN = 250
const PREPARE_RETRY_MS_MAX = 5_000

/** Opens a store and prepares it in the background, again and again until it can be reached. */
export function startStore(name: string, config: StoreConfig, clock: Clock, log: Logger): NamedStore {
  const opened = openStore(config, (what, err) => log.warn({ store: name, err }, what))
  let isPrepared = false
  let closed = false
  const prepare = async () => {
    for (let delayMs = PREPARE_RETRY_MS_MIN; !closed; delayMs = Math.min(PREPARE_RETRY_MS_MAX, delayMs * 2)) {
      try {
        await opened.prepare()
        isPrepared = true
        log.info({ store: name }, 'store is ready')
        return
      } catch (err) {
        if (closed) return
        log.error({ store: name, err }, 'store could not be prepared; trying again')
        await sleep(clock, delayMs)
      }
    }
  }
  void prepare()
  return {
    ...opened,
    store: unavailableUntil(() => isPrepared, opened.store),
    config,
    isPrepared: () => isPrepared,
    async close() {
      closed = true
      await opened.close()
    },
  }
}

/** Its tables may not be there yet: that is an unavailable store, and no other trouble. */
function unavailableUntil(isPrepared: () => boolean, store: Store): Store {
  const requirePrepared = () => {
    if (!isPrepared()) throw new StoreUnavailableError('the store was not reached yet')
  }
  const { oneEffect } = store
  return {
    ...store,
    async acquire(request) {
      requirePrepared()
      return store.acquire(request)
    },
    ...(oneEffect === undefined
      ? {}
      : {
          oneEffect: {
            ...oneEffect,
            async acquire(request, effect) {
              requirePrepared()
              return oneEffect.acquire(request, effect)
            },
          } satisfies OneEffect,
        }),
  }
}

export const isSameStore = (a: StoreConfig, b: StoreConfig): boolean => isDeepStrictEqual(a, b)

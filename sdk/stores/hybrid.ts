import { type Clock, systemClock } from '../clock'
import { IdempotencyOptionsError, StoreUnavailableError } from '../errors'
import { createEngineClock } from './engine-clock'
import { type CacheCounts, createRecordCache, type RecordCache } from './hybrid/cache'
import { openPort, type RedisClient } from './redis/client'
import type { Acquired, AcquireRequest, Completed, Holder, Looked, Store, StoredResponse } from './store'

export type HybridStoreOptions<Base extends Store> = {
  /** Decides everything: a PostgreSQL store. */
  store: Base
  /** The service's own client of ioredis or node-redis. Whatever becomes of that Redis is harmless. */
  cache: RedisClient
  /**
   * `retries`: the cache is asked when the caller marks a retry, when a duplicate waits, and when the store does not answer.
   * `always`: before every acquire, which pays where more than one request in twenty is a duplicate. Default `retries`.
   */
  ask?: 'retries' | 'always'
  /** A cache that takes longer has nothing. Default 20 ms. */
  cacheTimeoutMs?: number
  /** Larger responses are not cached. Default 1 MiB. */
  cachedBytesMax?: number
  /** Before the names of the cache's keys, where others share that Redis. Default `idem-cache:`. */
  prefix?: string
  clock?: Clock
}

export type HybridStore<Base> = Base & {
  /** Since the start; `errors` are answers that were late, broken, or none. */
  cacheCounts(): Readonly<CacheCounts>
}

/** What a record says beside the response; only the acquire of its holder knows it. */
type Execution = { fingerprint: Uint8Array; attempt: number; traceId: string | null }

/** Executions under way whose facts are kept; the record of an older one is cached by its first replay. */
const EXECUTIONS_MAX = 10_000

/**
 * PostgreSQL decides, and the cache only ever answers that a key is finished: nothing else is written to it, and that only
 * after COMMIT. A finished record does not change until it expires, so nothing has to be invalidated, and any loss of
 * the cache is harmless (docs/decisions/063-hybrid.md).
 */
export function createHybridStore<Base extends Store>(options: HybridStoreOptions<Base>): HybridStore<Base> {
  const {
    store,
    ask = 'retries',
    cacheTimeoutMs = 20,
    cachedBytesMax = 1_048_576,
    prefix = 'idem-cache:',
  } = options
  const clock = options.clock ?? systemClock
  const port = openPort(options.cache)
  const faults = [
    typeof store?.acquire === 'function' ? [] : ['store must be a store'],
    port === null ? ['cache must be a client of ioredis or node-redis'] : [],
    ask === 'retries' || ask === 'always' ? [] : ["ask must be 'retries' or 'always'"],
    cacheTimeoutMs > 0 ? [] : ['cacheTimeoutMs must be above 0'],
    cachedBytesMax >= 0 ? [] : ['cachedBytesMax must not be below 0'],
  ].flat()
  if (port === null || faults.length > 0) throw new IdempotencyOptionsError(faults)
  const engine = createEngineClock(clock)
  const cache = createRecordCache({
    port,
    client: options.cache,
    engine,
    clock,
    cacheTimeoutMs,
    cachedBytesMax,
    prefix,
  })
  const executions = createExecutions()
  const filled = fillAfterCommit(store, executions, cache)

  /** The store's own answer; what of the clock and of a record it tells is kept. */
  async function acquire(request: AcquireRequest): Promise<Acquired> {
    const sentMs = clock.nowMs()
    const acquired = await store.acquire(request)
    // A new key is created by this very call.
    if (acquired.kind === 'acquired') engine.observe(acquired.createdAt.getTime(), 1, sentMs)
    if (acquired.kind === 'acquired' || acquired.kind === 'takeover') executions.begin(request, acquired)
    if (acquired.kind === 'replay') cache.fill(request, { ...acquired, fingerprint: request.fingerprint })
    return acquired
  }

  async function orCached<Answer>(
    request: AcquireRequest,
    askFirst: boolean,
    decide: () => Promise<Answer>,
  ): Promise<Answer | Extract<Acquired, { kind: 'replay' | 'mismatch' }>> {
    const first = askFirst ? await cache.find(request) : null
    if (first !== null) return first
    try {
      return await decide()
    } catch (error) {
      if (askFirst || !(error instanceof StoreUnavailableError)) throw error
      const found = await cache.find(request)
      if (found === null) throw error
      return found
    }
  }

  const isAsked = ({ retry = false }: AcquireRequest) => ask === 'always' || retry
  const { holds } = store
  // The cache is filled by acquire and complete, which these would pass by.
  const { oneEffect: _, ...decided } = store
  return {
    ...(decided as Base),
    ...filled,
    acquire: (request: AcquireRequest) => orCached(request, isAsked(request), () => acquire(request)),
    ...(holds === undefined
      ? {}
      : {
          holds: {
            ...holds,
            look: (request: AcquireRequest): Promise<Looked> =>
              orCached(request, isAsked(request), () => holds.look(request)),
          },
        }),
    cacheCounts: cache.counts,
  }
}

type Executions = {
  begin(request: AcquireRequest, holder: { fence: bigint; attempt: number }): void
  end(holder: Holder): Execution | undefined
}

function createExecutions(): Executions {
  const known = new Map<string, Execution>()
  const nameOf = ({ scope, key, fence }: Pick<Holder, 'scope' | 'key' | 'fence'>) =>
    `${scope}\n${key}\n${fence}`
  return {
    begin({ scope, key, fingerprint, traceId }, { fence, attempt }) {
      const [oldest] = known.keys()
      if (known.size >= EXECUTIONS_MAX && oldest !== undefined) known.delete(oldest)
      known.set(nameOf({ scope, key, fence }), { fingerprint, attempt, traceId })
    },
    end(holder) {
      const execution = known.get(nameOf(holder))
      known.delete(nameOf(holder))
      return execution
    },
  }
}

/** The verbs that end an execution: a record is cached once it is surely there. */
function fillAfterCommit(store: Store, executions: Executions, cache: RecordCache): Partial<Store> {
  const fill = (holder: Holder, response: StoredResponse, completed: Completed | 'stale') => {
    const execution = executions.end(holder)
    if (completed === 'stale' || execution === undefined) return
    cache.fill(holder, { ...execution, ...response, ...completed, fence: holder.fence })
  }
  const verbs: Partial<Store> = {
    async complete(holder, response) {
      const completed = await store.complete(holder, response)
      fill(holder, response, completed)
      return completed
    },
    giveBack(holder) {
      executions.end(holder)
      return store.giveBack(holder)
    },
    abandon(holder) {
      executions.end(holder)
      return store.abandon(holder)
    },
  }
  if (store.transaction === undefined || store.completeWithin === undefined) return verbs
  /** What each open transaction has completed. */
  const open = new WeakMap<object, () => void>()
  const asObject = (tx: unknown) => tx as object
  return {
    ...verbs,
    async transaction(holder, work) {
      let cacheIt = () => {}
      await store.transaction?.(holder, async (tx) => {
        const end = await work(tx)
        if (end === 'commit') cacheIt = open.get(asObject(tx)) ?? cacheIt
        return end
      })
      // Committed: an unknown COMMIT has thrown.
      cacheIt()
    },
    async completeWithin(tx, holder, response) {
      if (store.completeWithin === undefined)
        throw new Error('a store with transactions completes within them')
      const completed = await store.completeWithin(tx, holder, response)
      open.set(asObject(tx), () => fill(holder, response, completed))
      return completed
    },
  }
}

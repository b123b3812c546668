import type { Clock } from '@/lib/core/clock'
import { cacheNameOf, decodeRecord } from '@/sdk/stores/hybrid/record'
import {
  type IntentSource,
  nothingChanged,
  type OperateOptions,
  type SeenLease,
  SourceUnavailableError,
  type StoreOutcome,
} from '../contracts'
import { openNativeSource } from '../native/open'
import { refusalOf } from '../native/refusal'
import { openConnection } from '../redis/connection'
import type { HybridConfig, HybridSecret } from './config'

/**
 * PostgreSQL decides, and it alone is read and acted on. The cache only ever answers finished keys, and those of a live key
 * have expired in it: unless PostgreSQL has lost a record, by a restore or a failover. Then a change here would make both
 * answer, and differently, so the cache is asked before each.
 */
export function openHybridSource(
  config: HybridConfig,
  secret: HybridSecret,
  readOnly = false,
  clock?: Clock,
): IntentSource {
  const base = openNativeSource(config, { url: secret.url }, readOnly, clock)
  const cache = openConnection(secret.cacheUrl, {
    name: 'idemscope-cache',
    commandTimeoutMs: config.cacheTimeoutMs,
  })

  async function isAnswered(seen: SeenLease, now: Date): Promise<boolean> {
    const name = cacheNameOf(config.prefix, seen)
    const value = await cache.use((client) => client.getBuffer(name)).catch(cannotBeAsked)
    // What the SDK cannot read it does not answer with.
    const record = value === null ? null : decodeRecord(name, value)
    return record !== null && record.expiresAt > now
  }

  const unlessAnswered =
    <Options extends OperateOptions>(act: (seen: SeenLease, options: Options) => Promise<StoreOutcome>) =>
    async (seen: SeenLease, options: Options): Promise<StoreOutcome> => {
      const before = await base.storeClock().catch(nothingChanged)
      if (!(await isAnswered(seen, before))) return act(seen, options)
      const { now, lease } = await base.readKey(seen.scope, seen.key).catch(nothingChanged)
      // It has finished since: that is what the cache answers with.
      if (lease === null || lease.seen.createdAt !== seen.createdAt)
        return refusalOf(seen, options, { now, lease })
      return { kind: 'refused', reason: 'answered_by_cache', now, current: lease }
    }

  return {
    ...base,
    capabilities: {
      ...base.capabilities,
      reading: `PostgreSQL decides, and is read. The cache (${config.prefix}*) only answers finished keys: it is asked before each change whether it answers the key, and never written to.`,
    },
    release: unlessAnswered(base.release),
    complete: unlessAnswered(base.complete),
    fail: unlessAnswered(base.fail),
    async close() {
      cache.close()
      await base.close()
    },
  }
}

function cannotBeAsked(error: unknown): never {
  const message = error instanceof Error ? error.message : String(error)
  throw new SourceUnavailableError(
    `The cache cannot be asked whether it still answers this key: ${message}. To act on PostgreSQL without it, connect the store with the adapter native`,
    { cause: error, fault: error instanceof SourceUnavailableError ? error.fault : 'down', refused: true },
  )
}

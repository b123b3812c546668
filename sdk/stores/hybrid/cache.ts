import type { Clock } from '../../clock'
import type { EngineClock } from '../engine-clock'
import type { RedisClient, RedisPort } from '../redis/client'
import type { Acquired, AcquireRequest } from '../store'
import { recordStateOf } from '../store'
import { type CachedRecord, cacheNameOf, decodeRecord, encodeRecord } from './record'

export type CacheCounts = { hits: number; misses: number; errors: number; filled: number }

export type RecordCache = {
  /** Null = it has nothing, or did not answer in time, or answered something else. Never throws. */
  find(request: AcquireRequest): Promise<Extract<Acquired, { kind: 'replay' | 'mismatch' }> | null>
  /** Writes a record that is committed; nobody waits for it, and nobody hears of an error. */
  fill(target: { scope: string; key: string }, record: CachedRecord): void
  counts(): CacheCounts
}

/** Gone from the cache before it is over in the store. */
const EXPIRES_EARLIER_MS = 1_000

type CacheOptions = {
  port: RedisPort
  client: RedisClient
  engine: EngineClock
  clock: Clock
  cacheTimeoutMs: number
  cachedBytesMax: number
  prefix: string
}

export function createRecordCache(options: CacheOptions): RecordCache {
  const { port, client, engine, clock, cacheTimeoutMs, cachedBytesMax, prefix } = options
  const counts: CacheCounts = { hits: 0, misses: 0, errors: 0, filled: 0 }
  const nameOf = (target: { scope: string; key: string }) => cacheNameOf(prefix, target)

  async function read(name: string): Promise<unknown> {
    if (!isOnline(client)) throw new Error('the cache is not connected')
    let cancel = () => {}
    const timeout = new Promise<never>((_, reject) => {
      cancel = clock.after(cacheTimeoutMs, () => reject(new Error('the cache took too long')))
    })
    try {
      return await Promise.race([port.send(name, ['GET', name]), timeout])
    } finally {
      cancel()
    }
  }

  return {
    counts: () => ({ ...counts }),
    async find(request) {
      const name = nameOf(request)
      try {
        const value = await read(name)
        if (value === null) {
          counts.misses += 1
          return null
        }
        const record = Buffer.isBuffer(value) ? decodeRecord(name, value) : null
        if (record === null) throw new Error('the cache has something else under this name')
        const latestMs = engine.latestMs()
        // Written late, it lives longer in the cache than in the store.
        if (latestMs === null || record.expiresAt.getTime() <= latestMs) {
          counts.misses += 1
          return null
        }
        counts.hits += 1
        const { fingerprint, ...replay } = record
        const state = recordStateOf(record.status)
        if (!Buffer.from(fingerprint).equals(request.fingerprint)) return { kind: 'mismatch', state }
        return { kind: 'replay', state, ...replay }
      } catch {
        counts.errors += 1
        return null
      }
    },
    fill(target, record) {
      const latestMs = engine.latestMs()
      // Queued in a client that is not connected, it would be written at any later time.
      if (latestMs === null || record.body.byteLength > cachedBytesMax || !isOnline(client)) return
      const livesMs = Math.floor(record.expiresAt.getTime() - latestMs - EXPIRES_EARLIER_MS)
      if (livesMs <= 0) return
      const name = nameOf(target)
      const write = async () => {
        await port.send(name, ['SET', name, encodeRecord(name, record), 'PX', String(livesMs)])
        counts.filled += 1
      }
      write().catch(() => {
        counts.errors += 1
      })
    },
  }
}

/** By what ioredis and node-redis say of themselves; a client that says nothing is asked. */
function isOnline(client: object): boolean {
  const status: unknown = Reflect.get(client, 'status')
  if (typeof status === 'string') return status === 'ready'
  for (const name of ['isReady', 'isOpen']) {
    const is: unknown = Reflect.get(client, name)
    if (typeof is === 'boolean') return is
  }
  return true
}

import { expect } from 'vitest'
import { createHybridStore } from '@/sdk/stores/hybrid'
import { openPort } from '@/sdk/stores/redis/client'
import { startRedis } from '../../support/redis-server'
import type { Harness } from './harness'
import { openPostgresHarness } from './postgres-harness'
import { type ClientKind, connectSingle } from './redis-harness'
import { describeStore } from './suite'

/** The cache is asked before everything, so that every case meets it. */
const openHybridHarness = (kind: ClientKind) => async (): Promise<Harness> => {
  const redis = await startRedis()
  const { client, close } = await connectSingle(kind, redis.port)
  // Before that nothing is cached, and nothing is kept to be.
  await openPort(client)?.send('', ['PING'])
  const harness = await openPostgresHarness((store, { clock, losing = false }) =>
    createHybridStore({
      store,
      cache: client,
      // What is to be lost must be said to PostgreSQL first.
      ask: losing ? 'retries' : 'always',
      cacheTimeoutMs: 5_000,
      ...(clock && { clock }),
    }),
  )
  return {
    ...harness,
    async expireRecord(target) {
      const isExpired = await harness.expireRecord(target)
      // Nobody waits for a record to be cached; here it is to be there before time passes for the cache as well.
      const name = `idem-cache:${target.scope.length}:${target.scope}:${target.key}`
      if (isExpired) await expect.poll(() => redis.admin.exists(name)).toBe(1)
      await redis.admin.flushall()
      return isExpired
    },
    async close() {
      await harness.close()
      await close()
      await redis.close()
    },
  }
}

describeStore('hybrid, ioredis', openHybridHarness('ioredis'))
describeStore('hybrid, node-redis', openHybridHarness('node-redis'))

import { createRedisStore, type RedisStoreOptions } from '@/sdk/stores/redis'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { type ClientKind, connectSingle } from '../conformance/redis-harness'

/** Servers and stores of one file; `close` ends them all. */
export function createRedisFixture() {
  const closers: (() => Promise<void>)[] = []
  return {
    async server(config: readonly string[] = []): Promise<RedisServer> {
      const server = await startRedis(config)
      closers.push(server.close)
      return server
    },
    /** With the tier `default`, unless it is not to be registered. */
    async store(
      { port }: Pick<RedisServer, 'port'>,
      { kind = 'ioredis', ...options }: Partial<RedisStoreOptions> & { kind?: ClientKind } = {},
    ) {
      const { client, close } = await connectSingle(kind, port)
      const store = createRedisStore({ client, operationTimeoutMs: 20_000, ...options })
      closers.unshift(async () => {
        store.close()
        await close()
      })
      return store
    },
    close: async () => {
      for (const close of closers) await close()
    },
  }
}

export const TTL_MS = 3_600_000

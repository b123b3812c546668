import { Redis } from 'ioredis'
import { createSentinel } from 'redis'
import { afterAll, expect, it } from 'vitest'
import { createRedisStore, type RedisStoreOptions } from '@/sdk/stores/redis'
import { startSentinel } from '../../support/redis-server'
import { again, freshRequest, hold, kindOf } from '../conformance/harness'
import { okResponse } from '../support'
import { createRedisFixture, TTL_MS } from './fixture'

const NAME = 'idem'
const fixture = createRedisFixture()
afterAll(fixture.close)

type Connected = { client: RedisStoreOptions['client']; close(): void | Promise<void> }

const CLIENTS: Record<string, (port: number) => Promise<Connected>> = {
  async ioredis(port) {
    const client = new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: NAME })
    client.on('error', () => {})
    return { client, close: () => client.disconnect() }
  },
  async 'node-redis'(port) {
    const client = createSentinel({ name: NAME, sentinelRootNodes: [{ host: '127.0.0.1', port }] })
    client.on('error', () => {})
    await client.connect()
    return { client, close: () => client.destroy() }
  },
}

it.each(Object.entries(CLIENTS))(
  '%s through a Sentinel goes on where a failover has led it',
  async (_, connect) => {
    const primary = await fixture.server()
    const replica = await fixture.server(['--replicaof', `127.0.0.1 ${primary.port}`])
    await expect.poll(() => replica.admin.info('replication')).toMatch(/master_link_status:up/)
    const sentinel = await startSentinel(primary, NAME)
    const { client, close } = await connect(sentinel.port)
    const store = createRedisStore({ client })
    await store.registerTier('default', TTL_MS)
    const [running, done] = [await hold(store, freshRequest({ leaseMs: 120_000 })), await hold(store)]
    await store.complete(done, okResponse())
    const offset = async ({ admin }: typeof primary) =>
      /master_repl_offset:(\d+)/.exec(await admin.info('replication'))?.[1]
    await expect.poll(async () => (await offset(primary)) === (await offset(replica))).toBe(true)

    await primary.kill()
    await expect.poll(() => store.heartbeat(running, 120_000).catch(() => 'down')).toBe(true)
    expect(await kindOf(store.acquire(again(running)))).toBe('in_progress')
    expect(await kindOf(store.acquire(again(done)))).toBe('replay')
    expect(await store.complete(running, okResponse())).not.toBe('stale')
    expect(await kindOf(store.acquire(freshRequest()))).toBe('acquired')
    expect((await store.checkStore()).serverChanges).toBe(1)
    store.close()
    await close()
    await sentinel.close()
  },
)

import { Redis } from 'ioredis'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openAdapter } from '@/lib/sources/adapters'
import type { IntentSource } from '@/lib/sources/contracts'
import { createRedisStore, type RedisStore } from '@/sdk/stores/redis'
import { okResponse } from '../../sdk/support'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { actorsOn, allRecords, SCOPE } from './own-stores'

/** A replica beside the primary, and a primary that comes back without its memory. */

let primary: RedisServer
let replica: RedisServer
let client: Redis
let store: RedisStore
let source: IntentSource
let actors: ReturnType<typeof actorsOn>
beforeAll(async () => {
  primary = await startRedis()
  replica = await startRedis(['--replicaof', '127.0.0.1', String(primary.port)])
  await vi.waitUntil(async () => /master_link_status:up/.test(await replica.admin.info('replication')), {
    timeout: 60_000,
  })
  client = new Redis(primary.url)
  client.on('error', () => undefined)
  store = createRedisStore({ client, operationTimeoutMs: 20_000 })
  await store.registerTier('default', 3_600_000)
  const secret = { url: primary.url, replicaUrl: replica.url }
  source = openAdapter('native-redis', {}, secret, { demo: false }) as IntentSource
  actors = actorsOn({ store, kill: async () => undefined }, () => source)
})
afterAll(async () => {
  await source.close()
  store.close()
  client.disconnect()
  await replica.close()
  await primary.close()
})

const calls = async (server: RedisServer, command: string): Promise<number> =>
  Number(
    new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await server.admin.info('commandstats'))?.[1] ?? 0,
  )
const finish = async (key: string) => store.complete(await actors.hold(key), okResponse('{"id":"r"}'))
/** What is new since a place in the feed, once the replica has it. */
async function newSince(cursor: string | null): Promise<string[]> {
  const { items } = await allRecords(source, cursor, 100)
  return items.map(({ key }) => key)
}

test('finished keys are walked to and followed on the replica; live ones are read and acted on at the primary', async () => {
  await finish('walked')
  await expect.poll(async () => (await allRecords(source)).items.map(({ key }) => key)).toEqual(['walked'])
  const { cursor } = await allRecords(source)
  const walks = await calls(replica, 'scan')
  await finish('followed')
  await expect.poll(() => newSince(cursor)).toEqual(['followed'])
  expect(await calls(replica, 'scan')).toBe(walks)
  expect(await calls(primary, 'scan')).toBe(0)
  await actors.hold('live')
  expect((await source.readLeases({ limit: 10 })).leases.map(({ key }) => key)).toEqual(['live'])
  expect(await calls(replica, 'zrange')).toBe(0)
})

test('a primary that comes back without its memory holds nothing, and its store goes on', async () => {
  const { lease } = await source.readKey(SCOPE, 'live')
  if (lease === null) throw new Error('no lease')
  await primary.kill()
  const down = source.release(lease.seen, { actionId: 'act_1', graceMs: 0 })
  await expect(down).rejects.toMatchObject({ name: 'SourceUnavailableError', fault: 'down' })
  await primary.start()
  await expect
    .poll(async () => (await source.readLeases({ limit: 10 }).catch(() => null))?.leases)
    .toEqual([])
  expect(await source.release(lease.seen, { actionId: 'act_1', graceMs: 0 })).toMatchObject({
    kind: 'refused',
    reason: 'gone',
  })
  await store.registerTier('default', 3_600_000)
  const again = await actors.hold('live')
  // Whatever was forgotten: the fence is above what the first holder had.
  expect(again.fence).toBeGreaterThan(lease.fence)
})

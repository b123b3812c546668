import { createHash } from 'node:crypto'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createRedisStore, type RedisStore, redisAcl } from '@/sdk/stores/redis'
import { placeOf } from '@/sdk/stores/redis/layout'
import type { RedisServer } from '../../support/redis-server'
import { again, beginning, committed, freshRequest, hold } from '../conformance/harness'
import { okResponse } from '../support'
import { createRedisFixture, TTL_MS } from './fixture'

const PASSWORD = 'secret'
const passwordSha256 = createHash('sha256').update(PASSWORD).digest('hex')

const fixture = createRedisFixture()
let server: RedisServer
beforeAll(async () => {
  server = await fixture.server()
  for (const access of ['service', 'read'] as const) {
    const [, ...rules] = redisAcl({ user: access, passwordSha256, access }).split(' ')
    await server.admin.call('ACL', ...rules)
  }
})
afterAll(fixture.close)

async function doAll(store: RedisStore): Promise<void> {
  await store.registerTier('default', TTL_MS)
  const holder = await hold(store)
  await store.beginEffect(holder, beginning())
  await store.settleEffect(holder, 'charge', committed())
  await store.checkpoint(holder, 'point', 1)
  expect(await store.heartbeat(holder, 1_000)).toBe(true)
  expect((await store.holds?.look(again(holder)))?.kind).toBe('in_progress')
  expect(await store.giveBack(holder)).toBe('retryable')
  const next = await hold(store, again(holder))
  expect(await store.complete(next, okResponse('x'.repeat(100_000)))).not.toBe('stale')
  expect((await store.acquire(again(holder))).kind).toBe('replay')
  expect(await store.abandon(await hold(store))).toBe('retryable')
  expect(await store.giveBack(await hold(store))).toBe('absent')
  const { id, said } = await store.placeHold({ kind: 'store', reason: 'Customers wait', by: 'test' })
  expect([said, await store.liftHold(id, 'Nobody waits', 'test')]).toEqual(['placed', 'lifted'])
  expect(store.health()).toMatchObject({ faults: [], durability: 'memory' })
}

describe('the rules for a service', () => {
  it('are enough for the store with ioredis, which may give numbers as texts', async () => {
    const client = new Redis({
      port: server.port,
      username: 'service',
      password: PASSWORD,
      stringNumbers: true,
    })
    const store = createRedisStore({ client })
    await doAll(store)
    store.close()
    client.disconnect()
  })

  it('are enough for the store with node-redis', async () => {
    const client = createClient({ url: `redis://service:${PASSWORD}@127.0.0.1:${server.port}` })
    client.on('error', () => {})
    await client.connect()
    const store = createRedisStore({ client })
    await doAll(store)
    store.close()
    client.destroy()
  })

  it('are no more', async () => {
    const client = new Redis({ port: server.port, username: 'service', password: PASSWORD })
    for (const command of [
      ['GET', 'others'],
      ['SET', 'others', '1'],
      ['KEYS', '*'],
      ['FLUSHALL'],
      ['CONFIG', 'GET', '*'],
      ['ACL', 'LIST'],
      ['SCRIPT', 'FLUSH'],
      ['SHUTDOWN'],
      ['EVAL', "return redis.call('GET', 'others')", '0'],
      ['PUBLISH', 'idem', '1'],
    ] as const)
      await expect(client.call(...(command as unknown as [string])), command[0]).rejects.toThrow(
        /NOPERM|can't access/,
      )
    client.disconnect()
  })
})

it('the rules for a reader read, and change nothing', async () => {
  const store = await fixture.store(server)
  await store.registerTier('default', TTL_MS)
  const holder = await hold(store, freshRequest())
  const { data, live } = placeOf(holder.scope, holder.key)
  const client = new Redis({ port: server.port, username: 'read', password: PASSWORD })
  expect(await client.hget(data, 's')).toBe('L')
  expect(await client.zrange(live, '0', '-1')).toHaveLength(1)
  expect(await client.call('EVAL_RO', "return redis.call('TIME')[1]", '0')).toMatch(/^\d+$/)
  for (const write of [
    () => client.hset(data, 's', 'R'),
    () => client.del(data),
    () => client.eval('return 1', '0'),
  ])
    await expect(write()).rejects.toThrow(/NOPERM/)
  client.disconnect()
})

it('names and passwords that are none are refused', () => {
  expect(() => redisAcl({ user: 'a b', passwordSha256: 'secret' })).toThrow(/without spaces; passwordSha256/)
})

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { RedisStore } from '@/sdk/stores/redis'
import { placeOf, providerKeyOf, readRecord, SHARDS } from '@/sdk/stores/redis/layout'
import type { RedisServer } from '../../support/redis-server'
import { again, beginning, committed, freshRequest, hold } from '../conformance/harness'
import { okResponse } from '../support'
import { createRedisFixture, TTL_MS } from './fixture'

const fixture = createRedisFixture()
let server: RedisServer
let store: RedisStore
beforeAll(async () => {
  server = await fixture.server()
  store = await fixture.store(server)
  await store.registerTier('default', TTL_MS)
})
afterAll(fixture.close)

it('a live key is a hash without TTL, in the index under the end of its lease', async () => {
  const holder = await hold(store)
  const { data, live, member, fence } = placeOf(holder.scope, holder.key)
  const facts = await server.admin.hgetall(data)
  expect(facts).toMatchObject({
    s: 'L',
    f: String(holder.fence),
    o: 'test',
    n: '1',
    t: 'default',
    l: String(TTL_MS),
  })
  expect(await server.admin.pttl(data)).toBe(-1)
  expect(await server.admin.zscore(live, member)).toBe(facts.u)
  expect(await server.admin.get(fence)).toBe(facts.f)
  await store.heartbeat(holder, 60_000)
  expect(await server.admin.zscore(live, member)).toBe(await server.admin.hget(data, 'u'))
  await store.abandon(holder)
  expect(await server.admin.zscore(live, member)).toBe(await server.admin.hget(data, 'u'))
})

it('a key that is done is one string with its tier’s TTL, and leaves the index', async () => {
  const holder = await hold(store)
  const { data, live, member } = placeOf(holder.scope, holder.key)
  await store.beginEffect(holder, beginning())
  await store.settleEffect(holder, 'charge', { state: 'failed' })
  await store.beginEffect(holder, beginning())
  await store.settleEffect(holder, 'charge', committed())
  await store.checkpoint(holder, 'point', { not: 'kept' })
  await store.complete(holder, okResponse('body'))
  expect(await server.admin.zscore(live, member)).toBeNull()
  expect(await server.admin.pttl(data)).toBeGreaterThan(TTL_MS - 60_000)
  const stored = await server.admin.getBuffer(data)
  if (stored === null) throw new Error('no record')
  expect(readRecord(stored)).toMatchObject({ state: 'C', fence: holder.fence, status: 201 })
  const [, effects = ''] = /(\[\{"[^[]*\}\])body$/.exec(stored.toString()) ?? []
  const [effect] = JSON.parse(effects)
  expect(effect).toMatchObject({
    step: 'charge',
    state: 'C',
    reference: 'ch_1',
    amountMinor: '1050',
    currency: 'USD',
  })
  expect(Object.keys(effect)).not.toContain('result')
  expect(providerKeyOf(effect)).toMatch(/^[0-9a-f]{64}$/)
  expect(JSON.parse(effects)).toHaveLength(1)
})

it('a key that is given back leaves a minute’s trace, and no index entry', async () => {
  const holder = await hold(store)
  const { data, live, member } = placeOf(holder.scope, holder.key)
  await store.giveBack(holder)
  expect(await server.admin.zscore(live, member)).toBeNull()
  expect(await server.admin.get(data)).toMatch(/^1 G \d+ \S+$/)
  expect(await server.admin.pttl(data)).toBeLessThanOrEqual(60_000)
})

it('keys spread over all shards, and all of a key lies in one slot', () => {
  const shards = new Set(
    Array.from({ length: 20_000 }, (_, at) => {
      const { data, live, fence } = placeOf('web/POST /v1/payments', `key-${at}`)
      const tags = [data, live, fence].map((name) => /^idem:\{(\d+)\}:/.exec(name)?.[1])
      expect(new Set(tags).size).toBe(1)
      return tags[0]
    }),
  )
  expect(shards.size).toBe(SHARDS)
})

it('a scope or a key with braces and colons stays in its shard', async () => {
  for (const over of [{ scope: 'a/POST /{b}:{c}' }, { scope: 'a/POST /:1:' }]) {
    const holder = await hold(store, freshRequest({ ...over, key: '}{:ü' }))
    await store.complete(holder, okResponse())
    expect((await store.acquire(again(holder))).kind).toBe('replay')
  }
})

it('takes at most a tenth more than a plain SET of the same facts', async () => {
  const sizes = { ours: 0, plain: 0 }
  for (let at = 0; at < 200; at += 1) {
    const request = freshRequest({ key: randomUUID(), traceId: randomUUID().replaceAll('-', '') })
    const holder = await hold(store, request)
    const completed = await store.complete(holder, okResponse('{"id":"pay_0123456789","status":"paid"}'))
    if (completed === 'stale') throw new Error('stale')
    const { data } = placeOf(request.scope, request.key)
    const facts = {
      ...{ state: 'C', fence: String(holder.fence), attempts: 1, status: 201, tier: 'default' },
      ...{ createdAt: completed.createdAt.getTime(), expiresAt: completed.expiresAt.getTime() },
      fingerprint: Buffer.from(request.fingerprint).toString('hex'),
      traceId: request.traceId,
      headers: okResponse().headers,
      body: '{"id":"pay_0123456789","status":"paid"}',
    }
    const name = `plain:${request.scope}:${request.key}`
    await server.admin.set(name, JSON.stringify(facts), 'PX', TTL_MS)
    sizes.ours += Number(await server.admin.memory('USAGE', data))
    sizes.plain += Number(await server.admin.memory('USAGE', name))
  }
  console.log(
    `redis: ${sizes.ours / 200} bytes a key that is done, a plain SET of its facts ${sizes.plain / 200}`,
  )
  expect(sizes.ours).toBeLessThanOrEqual(sizes.plain * 1.1)
})

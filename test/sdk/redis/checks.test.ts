import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { IdempotencyOptionsError, StoreUnavailableError } from '@/sdk/errors'
import { createRedisStore } from '@/sdk/stores/redis'
import type { RedisServer } from '../../support/redis-server'
import { again, freshRequest, hold } from '../conformance/harness'
import { createManualClock, okResponse } from '../support'
import { createRedisFixture, TTL_MS } from './fixture'

const fixture = createRedisFixture()
afterAll(fixture.close)

let server: RedisServer
beforeEach(async () => {
  server = await fixture.server()
})
const faultsOf = (work: Promise<unknown>) =>
  work.then(
    () => [],
    (error: unknown) => (error instanceof IdempotencyOptionsError ? error.faults : [String(error)]),
  )

describe('at the start', () => {
  it.each(['allkeys-lru', 'allkeys-lfu', 'allkeys-random'])(
    '%s is refused, with what to do',
    async (policy) => {
      await server.admin.config('SET', 'maxmemory-policy', policy)
      const store = await fixture.store(server)
      const [fault] = await faultsOf(store.registerTier('default', TTL_MS))
      expect(fault).toMatch(new RegExp(`maxmemory-policy is ${policy}.*set noeviction`))
      // Nor is anything executed by who did not ask.
      await expect(store.acquire(freshRequest())).rejects.toThrow(StoreUnavailableError)
      expect(await server.admin.keys('idem:*:k:*')).toEqual([])
    },
  )

  it('what only weakens the promise is a warning, and what is well is told', async () => {
    const store = await fixture.store(server)
    expect(store.health().durability).toBe('unchecked')
    expect(await store.checkStore()).toMatchObject({
      durability: 'memory',
      faults: [],
      warnings: ['there is no append-only file: a restart forgets keys', 'there is no replica'],
      serverChanges: 0,
    })
    await server.admin.config('SET', 'maxmemory-policy', 'volatile-ttl')
    await server.admin.config('SET', 'appendonly', 'yes')
    for (const [fsync, warned] of [
      ['no', true],
      ['everysec', false],
      ['always', false],
    ] as const) {
      await server.admin.config('SET', 'appendfsync', fsync)
      const health = await store.checkStore()
      expect(health.durability).toBe(`aof ${fsync}`)
      expect(health.warnings.some((warning) => warning.startsWith('appendfsync is no'))).toBe(warned)
      expect(health.warnings[0]).toMatch(/finished keys are forgotten/)
    }
    expect(store.attributes?.()).toEqual({ 'idempotency.store.durability': 'aof always' })
  })

  it.each(['ioredis', 'node-redis'] as const)('a replica is refused (%s)', async (kind) => {
    const replica = await fixture.server(['--replicaof', `127.0.0.1 ${server.port}`])
    const store = await fixture.store(replica, { kind })
    expect((await faultsOf(store.registerTier('default', TTL_MS))).join()).toMatch(/READONLY|is a slave/)
  })

  it('a server that does not tell is refused, unless the service says that it knows', async () => {
    await server.admin.acl('SETUSER', 'default', '-info', '-config')
    const silent = await fixture.store(server)
    expect((await faultsOf(silent.registerTier('default', TTL_MS)))[0]).toMatch(
      /cannot be verified.*assumeDurable: true/,
    )
    await expect(silent.acquire(freshRequest())).rejects.toThrow(/not fit/)
    const assumed = await fixture.store(server, { assumeDurable: true })
    await assumed.registerTier('default', TTL_MS)
    expect(assumed.health()).toMatchObject({ durability: 'not_verified', faults: [] })
    expect((await assumed.acquire(freshRequest())).kind).toBe('acquired')
  })

  it('without CONFIG all but the syncing is known', async () => {
    await server.admin.config('SET', 'appendonly', 'yes')
    await server.admin.acl('SETUSER', 'default', '-config')
    const health = await (await fixture.store(server)).checkStore()
    expect(health.durability).toBe('aof')
    expect(health.warnings).toContain('appendfsync cannot be verified (CONFIG is refused)')
  })

  it('a Redis with another number of shards is refused', async () => {
    await server.admin.hset('idem:{meta}:layout', { version: '1', shards: '64' })
    const store = await fixture.store(server)
    expect((await faultsOf(store.registerTier('default', TTL_MS)))[0]).toMatch(/layout 1 of 64 shards/)
  })

  it('what is no client is refused at once', () => {
    expect(() => createRedisStore({ client: {} as never, operationTimeoutMs: 0 })).toThrow(
      /client must be a client of ioredis or node-redis; operationTimeoutMs must be above 0/,
    )
  })
})

describe('while it runs', () => {
  it('a policy that becomes dangerous stops new executions, and what runs ends', async () => {
    const time = createManualClock()
    const store = await fixture.store(server, { clock: time.clock })
    await store.registerTier('default', TTL_MS)
    const holder = await hold(store)
    await server.admin.config('SET', 'maxmemory-policy', 'allkeys-lru')
    time.advance(5_000)
    await expect.poll(() => store.health().faults.length).toBe(1)
    await expect(store.acquire(freshRequest())).rejects.toThrow(/allkeys-lru/)
    expect(await store.complete(holder, okResponse())).not.toBe('stale')
    await server.admin.config('SET', 'maxmemory-policy', 'noeviction')
    time.advance(5_000)
    await expect.poll(() => store.health().faults.length).toBe(0)
    expect((await store.acquire(again(holder))).kind).toBe('replay')
  })

  it('a server that takes the place of another is judged and counted', async () => {
    const time = createManualClock()
    const store = await fixture.store(server, { clock: time.clock })
    await store.registerTier('default', TTL_MS)
    await server.kill()
    await server.start()
    await server.admin.config('SET', 'maxmemory-policy', 'volatile-lru')
    time.advance(5_000)
    await expect.poll(() => store.health().serverChanges).toBe(1)
    expect(store.health().warnings[0]).toMatch(/volatile-lru/)
  })

  it('closed, it asks no more', async () => {
    const time = createManualClock()
    const store = await fixture.store(server, { clock: time.clock })
    await store.registerTier('default', TTL_MS)
    store.close()
    const asked = async () => /total_commands_processed:(\d+)/.exec(await server.admin.info('stats'))?.[1]
    const before = Number(await asked())
    time.advance(600_000)
    expect(Number(await asked())).toBe(before + 1)
  })
})

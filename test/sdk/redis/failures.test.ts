import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import { placeOf } from '@/sdk/stores/redis/layout'
import type { Holder } from '@/sdk/stores/store'
import type { RedisServer } from '../../support/redis-server'
import { startBreakingProxy } from '../breaking-proxy'
import { again, beginning, committed, freshRequest, hold, kindOf } from '../conformance/harness'
import { okResponse } from '../support'
import { createRedisFixture, TTL_MS } from './fixture'

const fixture = createRedisFixture()
afterAll(fixture.close)

const openOn = async (server: RedisServer, options: Parameters<typeof fixture.store>[1] = {}) => {
  const store = await fixture.store(server, options)
  await store.registerTier('default', TTL_MS)
  return store
}

describe('without memory', () => {
  it('nothing new is begun; what runs ends, and what is done is replayed', async () => {
    const server = await fixture.server()
    const store = await openOn(server)
    const [running, done, given] = [await hold(store), await hold(store), await hold(store)]
    await store.complete(done, okResponse())
    await store.giveBack(given)
    await server.admin.config('SET', 'maxmemory', '1')
    for (const request of [freshRequest(), again(given)])
      await expect(store.acquire(request)).rejects.toThrow(StoreUnavailableError)
    expect((await store.acquire(again(done))).kind).toBe('replay')
    expect((await store.acquire(again(running))).kind).toBe('in_progress')
    expect(await store.heartbeat(running, 10_000)).toBe(true)
    expect(await store.beginEffect(running, beginning())).toMatchObject({ kind: 'begun' })
    expect(await store.settleEffect(running, 'charge', committed())).toBe(true)
    expect(await store.checkpoint(running, 'point', null)).toBe(true)
    expect((await store.holds?.look(again(running)))?.kind).toBe('in_progress')
    const placing = { kind: 'store', reason: 'Memory is running out', by: 'test' } as const
    expect((await store.placeHold(placing)).said).toBe('placed')
    expect(await store.complete(running, okResponse())).not.toBe('stale')
    await server.admin.config('SET', 'maxmemory', '0')
    expect((await store.acquire(again(running))).kind).toBe('replay')
    // Refused before anything was changed.
    expect((await store.acquire(again(given))).kind).toBe('acquired')
  })
})

describe('without replicas that it demands', () => {
  it('nothing is written, replays go on', async () => {
    const server = await fixture.server()
    const store = await openOn(server)
    const [running, done] = [await hold(store), await hold(store)]
    await store.complete(done, okResponse())
    await server.admin.config('SET', 'min-replicas-to-write', '1')
    await expect(store.acquire(freshRequest())).rejects.toThrow(/NOREPLICAS/)
    await expect(store.complete(running, okResponse())).rejects.toThrow(StoreUnavailableError)
    expect((await store.acquire(again(done))).kind).toBe('replay')
    await server.admin.config('SET', 'min-replicas-to-write', '0')
    expect(await store.complete(running, okResponse())).not.toBe('stale')
  })
})

describe('a primary that became a replica', () => {
  it('is a store that is down, for everything that writes', async () => {
    const [server, other] = [await fixture.server(), await fixture.server()]
    const store = await openOn(server)
    const holder = await hold(store)
    await server.admin.replicaof('127.0.0.1', other.port)
    await expect(store.acquire(freshRequest())).rejects.toThrow(StoreUnavailableError)
    await expect(store.heartbeat(holder, 1_000)).rejects.toThrow(StoreUnavailableError)
  })
})

describe.each(['ioredis', 'node-redis'] as const)('a server that is gone, with %s as it comes', (kind) => {
  it('silent or dead, is noticed within the store’s own time', async () => {
    const server = await fixture.server()
    const store = await openOn(server, { kind, operationTimeoutMs: 1_500 })
    const [frozen, killed] = [await hold(store), await hold(store)]
    const expectRefused = async (holder: Holder) => {
      const startedMs = performance.now()
      await expect(store.acquire(freshRequest())).rejects.toThrow(StoreUnavailableError)
      await expect(store.complete(holder, okResponse())).rejects.toThrow(StoreUnavailableError)
      expect(performance.now() - startedMs).toBeLessThan(20_000)
    }
    server.freeze()
    await expectRefused(frozen)
    server.thaw()
    // What was given up has been done all the same: it was on its way.
    await expect.poll(() => kindOf(store.acquire(again(frozen))).catch(() => 'down')).toBe('replay')
    await server.kill()
    await expectRefused(killed)
    await server.start()
    // What was only in memory is forgotten: the key is free, under a higher fence, and its holder is refused.
    await expect.poll(() => store.heartbeat(killed, 10_000).catch(() => 'down')).toBe(false)
    const next = await store.acquire(again(killed))
    expect(next).toMatchObject({ kind: 'acquired', attempt: 1 })
    expect(next.kind === 'acquired' && next.fence > killed.fence).toBe(true)
    expect(await store.complete(killed, okResponse())).toBe('stale')
  })

  it('killed with an append-only file that is always synced, it forgets nothing', async () => {
    const server = await fixture.server(['--appendonly', 'yes', '--appendfsync', 'always'])
    const store = await openOn(server, { kind })
    const [running, done, begun] = [await hold(store), await hold(store), await hold(store)]
    await store.complete(done, okResponse())
    await store.beginEffect(begun, beginning())
    await server.kill()
    await server.start()
    // Its scripts are new to it.
    await expect.poll(() => store.heartbeat(running, 60_000).catch(() => 'down')).toBe(true)
    expect((await store.acquire(again(running))).kind).toBe('in_progress')
    expect((await store.acquire(again(done))).kind).toBe('replay')
    expect(await store.settleEffect(begun, 'charge', committed())).toBe(true)
    expect(await store.complete(begun, okResponse())).not.toBe('stale')
  })

  it('with no script any more, does every verb', async () => {
    const server = await fixture.server()
    const store = await openOn(server, { kind })
    const holder = await hold(store)
    const forget = () => server.admin.script('FLUSH')
    for (const verb of [
      () => store.heartbeat(holder, 1_000),
      () => store.beginEffect(holder, beginning()),
      () => store.settleEffect(holder, 'charge', committed()),
      () => store.checkpoint(holder, 'point', 1),
      () => store.complete(holder, okResponse()),
      () => store.acquire(again(holder)),
    ]) {
      await forget()
      expect(await verb()).toBeTruthy()
    }
  })
})

describe('a failover', () => {
  it('loses what the replica had not heard of, and nothing else: so the documentation says', async () => {
    const primary = await fixture.server()
    const line = await startBreakingProxy(primary.url)
    const replica = await fixture.server(['--replicaof', `127.0.0.1 ${new URL(line.url).port}`])
    const synced = async () => {
      const offset = async ({ admin }: RedisServer) =>
        /master_repl_offset:(\d+)/.exec(await admin.info('replication'))?.[1]
      return (await replica.admin.info('replication')).includes('master_link_status:up')
        ? (await offset(primary)) === (await offset(replica))
        : false
    }
    const before = await openOn(primary)
    const [known, knownDone] = [await hold(before), await hold(before)]
    await before.complete(knownDone, okResponse())
    const completing = await hold(before)
    await expect.poll(synced).toBe(true)
    // The line to the replica is cut, and the primary goes on acknowledging.
    await line.close()
    const lost = await hold(before)
    expect(await before.complete(completing, okResponse())).not.toBe('stale')
    await primary.kill()
    await replica.admin.replicaof('NO', 'ONE')
    const after = await openOn(replica)

    expect((await after.acquire(again(known))).kind).toBe('in_progress')
    expect(await after.complete(known, okResponse())).not.toBe('stale')
    expect((await after.acquire(again(knownDone))).kind).toBe('replay')
    // A second execution, under a higher fence; its first holder writes nothing more.
    const second = await after.acquire(again(lost))
    expect(second).toMatchObject({ kind: 'acquired', attempt: 1 })
    expect(second.kind === 'acquired' && second.fence > lost.fence).toBe(true)
    expect(await after.complete(lost, okResponse())).toBe('stale')
    // A completion is forgotten: its key is in progress again, until its lease passes.
    expect((await after.acquire(again(completing))).kind).toBe('in_progress')
    // Its holder, told that it is done, may say so again.
    expect(await after.complete(completing, okResponse())).not.toBe('stale')
  })

  it('to a server whose clock is 10 minutes behind draws fences above all before', async () => {
    const server = await fixture.server()
    const store = await openOn(server)
    const holder = await hold(store)
    await store.giveBack(holder)
    // As a server that was 10 minutes ahead has left it.
    const ahead = holder.fence + 600_000_000n
    await server.admin.set(placeOf(holder.scope, holder.key).fence, String(ahead))
    expect((await hold(store, again(holder))).fence).toBe(ahead + 1n)
  })
})

it('a lease of a server whose clock was 10 minutes ahead is kept, not taken', async () => {
  const server = await fixture.server()
  const store = await openOn(server)
  const holder = await hold(store)
  const { data } = placeOf(holder.scope, holder.key)
  await server.admin.hset(data, 'u', String(holder.fence + 600_000_000n))
  expect((await store.acquire(again(holder))).kind).toBe('in_progress')
  expect(await store.complete(holder, okResponse())).not.toBe('stale')
})

let plain: RedisServer
beforeAll(async () => {
  plain = await fixture.server()
})

it('a right that is missing is an error of the setup, and no store that is down', async () => {
  const store = await openOn(plain)
  await plain.admin.acl('SETUSER', 'default', '-hset')
  const error = await store.acquire(freshRequest()).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(Error)
  expect(error).not.toBeInstanceOf(StoreUnavailableError)
  await plain.admin.acl('SETUSER', 'default', '+hset')
})

import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { IdempotencyOptionsError, StoreUnavailableError } from '@/sdk/errors'
import { createHybridStore, type HybridStoreOptions } from '@/sdk/stores/hybrid'
import type { PostgresStore } from '@/sdk/stores/postgres'
import { openPort } from '@/sdk/stores/redis/client'
import type { AcquireRequest } from '@/sdk/stores/store'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { beginning } from '../conformance/harness'
import { type Client, connectSingle } from '../conformance/redis-harness'
import {
  acquireRequest,
  createManualClock,
  createStoreFixture,
  holderOf,
  okResponse,
  type StoreFixture,
} from '../support'

let fixture: StoreFixture
let redis: RedisServer
let connected: Client
let asked = 0
/** PostgreSQL as it is, or as it is when it is not there. */
let down = false
let base: PostgresStore

beforeAll(async () => {
  fixture = await createStoreFixture()
  redis = await startRedis()
  connected = await connectSingle('ioredis', redis.port)
  // Before that nothing is cached, and nothing is kept to be.
  await openPort(connected.client)?.send('', ['PING'])
  const { store } = fixture
  base = {
    ...store,
    acquire(request) {
      asked += 1
      return down ? Promise.reject(new StoreUnavailableError('down')) : store.acquire(request)
    },
  }
})
beforeEach(async () => {
  await redis.admin.flushall()
  asked = 0
  down = false
})
afterAll(async () => {
  await connected.close()
  await redis.close()
  await fixture.close()
})

const open = (over: Partial<HybridStoreOptions<PostgresStore>> = {}) =>
  createHybridStore({ store: base, cache: connected.client, cacheTimeoutMs: 5_000, ...over })
type Hybrid = ReturnType<typeof open>

/** A key that is finished, and in the cache. */
async function finish(store: Hybrid, over: Partial<AcquireRequest> = {}) {
  const request = acquireRequest(randomUUID(), over)
  const holder = holderOf(request, await store.acquire(request))
  const before = store.cacheCounts().filled
  await store.complete(holder, okResponse('{"paid":true}'))
  await expect.poll(() => store.cacheCounts().filled).toBe(before + 1)
  asked = 0
  return request
}
const cacheKeys = () => redis.admin.keys('*')

describe('what the cache answers', () => {
  it('is what PostgreSQL would, to the last field', async () => {
    const store = open()
    const request = await finish(store, { traceId: '0123456789abcdef0123456789abcdef' })
    const cached = await store.acquire({ ...request, retry: true })
    expect([asked, store.cacheCounts().hits]).toEqual([0, 1])
    const decided = await base.acquire(request)
    if (cached.kind !== 'replay' || decided.kind !== 'replay')
      throw new Error(`${cached.kind}, ${decided.kind}`)
    const plain = ({ body, ...rest }: typeof cached) => ({ ...rest, body: Buffer.from(body).toString() })
    expect(plain(cached)).toEqual(plain(decided))
    const other = { ...request, fingerprint: Buffer.alloc(16, 9), retry: true }
    expect(await store.acquire(other)).toEqual({ kind: 'mismatch', state: 'completed' })
  })

  it.each([
    ['retries', undefined, 1],
    ['retries', true, 0],
    ['always', undefined, 0],
  ] as const)('is asked for by ask: %s where retry is %s', async (ask, retry, statements) => {
    const store = open({ ask })
    const request = await finish(store)
    expect((await store.acquire({ ...request, ...(retry && { retry }) })).kind).toBe('replay')
    expect(asked).toBe(statements)
  })

  it('while PostgreSQL is down, finished keys are replayed, and the rest fails closed', async () => {
    const store = open()
    const request = await finish(store)
    down = true
    expect((await store.acquire(request)).kind).toBe('replay')
    await expect(store.acquire(acquireRequest(randomUUID()))).rejects.toThrow(StoreUnavailableError)
  })

  it('a replay by PostgreSQL fills the cache', async () => {
    const store = open()
    const request = await finish(store)
    await redis.admin.flushall()
    await store.acquire(request)
    await expect.poll(cacheKeys).toHaveLength(1)
    asked = 0
    expect((await store.acquire({ ...request, retry: true })).kind).toBe('replay')
    expect(asked).toBe(0)
  })

  it('ends before the record does, whatever the cache’s own time to live says', async () => {
    const time = createManualClock()
    const store = open({ clock: time.clock })
    const startedMs = Date.now()
    const request = await finish(store)
    const [name = ''] = await cacheKeys()
    // What finishing took on PostgreSQL's clock is nothing on this one, which stands still.
    const tookMs = Date.now() - startedMs
    expect(await redis.admin.pttl(name)).toBeLessThanOrEqual(3_599_000 + tookMs)
    await redis.admin.persist(name)
    time.advance(3_590_000)
    await store.acquire({ ...request, retry: true })
    expect(asked).toBe(0)
    time.advance(11_000)
    await store.acquire({ ...request, retry: true })
    expect(asked).toBe(1)
  })
})

describe('what is cached', () => {
  it('is finished records, and nothing else', async () => {
    const store = open({ ask: 'always' })
    for (const end of ['giveBack', 'abandon'] as const) {
      const request = acquireRequest(randomUUID())
      const holder = holderOf(request, await store.acquire(request))
      await store.beginEffect(holder, beginning())
      await store.checkpoint(holder, 'point', null)
      await store[end](holder)
      await store.acquire(request)
      await store.acquire({ ...request, fingerprint: Buffer.alloc(16, 9) })
    }
    const stale = acquireRequest(randomUUID())
    const holder = holderOf(stale, await store.acquire(stale))
    expect(await store.complete({ ...holder, fence: 1n }, okResponse())).toBe('stale')
    // A fill that comes now would come after all of those.
    await finish(store)
    expect(await cacheKeys()).toHaveLength(1)
  })

  it.each([
    ['commit', 1],
    ['rollback', 0],
  ] as const)('is completed within a transaction only after its %s', async (end, cached) => {
    const store = open()
    const request = acquireRequest(randomUUID())
    const holder = holderOf(request, await store.acquire(request))
    await store.transaction?.(holder, async (tx) => {
      expect(await store.completeWithin?.(tx, holder, okResponse())).not.toBe('stale')
      expect(await cacheKeys()).toEqual([])
      return end
    })
    // It is cached beside the commit's answer.
    await expect.poll(() => store.cacheCounts().filled).toBe(cached)
    await finish(store)
    await expect.poll(async () => (await cacheKeys()).length).toBe(1 + cached)
  })

  it('a transaction that fails, or whose end nobody knows, caches nothing', async () => {
    const store = open()
    const request = acquireRequest(randomUUID())
    const holder = holderOf(request, await store.acquire(request))
    const failing = store.transaction?.(holder, async (tx) => {
      await store.completeWithin?.(tx, holder, okResponse())
      throw new Error('after it was completed')
    })
    await expect(failing).rejects.toThrow('after it was completed')
    await finish(store)
    expect(await cacheKeys()).toHaveLength(1)
  })

  it('is no larger than it may be', async () => {
    const store = open({ cachedBytesMax: 4 })
    const request = acquireRequest(randomUUID())
    await store.complete(holderOf(request, await store.acquire(request)), okResponse('12345'))
    const small = acquireRequest(randomUUID())
    await store.complete(holderOf(small, await store.acquire(small)), okResponse('1234'))
    await expect.poll(cacheKeys).toHaveLength(1)
  })
})

describe('any trouble of the cache', () => {
  const GARBAGE: [string, (value: Buffer) => Buffer | string][] = [
    ['nothing', () => ''],
    ['a text', () => 'not found'],
    ['half of it', (value) => value.subarray(0, value.length / 2)],
    [
      'one wrong bit',
      (value) => Buffer.from(value.map((byte, at) => (at === value.length - 1 ? byte ^ 1 : byte))),
    ],
    ['another length', (value) => Buffer.concat([value, Buffer.from('x')])],
  ]
  it.each(GARBAGE)('garbage (%s): PostgreSQL answers', async (_, spoil) => {
    const store = open()
    const request = await finish(store)
    const [name = ''] = await cacheKeys()
    await redis.admin.set(name, spoil((await redis.admin.getBuffer(name)) ?? Buffer.alloc(0)))
    expect(await store.acquire({ ...request, retry: true })).toMatchObject({ kind: 'replay', status: 201 })
    expect([asked, store.cacheCounts().errors]).toEqual([1, 1])
  })

  it('another key’s record under its name: PostgreSQL answers', async () => {
    const store = open()
    const [one, other] = [await finish(store), await finish(store)]
    const names = await cacheKeys()
    const nameOf = (request: AcquireRequest) => names.find((name) => name.endsWith(request.key)) ?? ''
    await redis.admin.copy(nameOf(other), nameOf(one), 'REPLACE')
    expect((await store.acquire({ ...one, retry: true })).kind).toBe('replay')
    expect(asked).toBe(1)
  })

  it('a type of another application: PostgreSQL answers', async () => {
    const store = open()
    const request = await finish(store)
    const [name = ''] = await cacheKeys()
    await redis.admin.del(name)
    await redis.admin.rpush(name, 'a')
    expect((await store.acquire({ ...request, retry: true })).kind).toBe('replay')
    expect(asked).toBe(1)
  })

  it('slow: nobody waits longer than its own time', async () => {
    const store = open({ cacheTimeoutMs: 20 })
    const request = acquireRequest(randomUUID())
    await store.complete(holderOf(request, await store.acquire(request)), okResponse())
    redis.freeze()
    try {
      expect((await store.acquire({ ...request, retry: true })).kind).toBe('replay')
      expect([asked, store.cacheCounts().errors]).toEqual([2, 1])
      const next = acquireRequest(randomUUID())
      const holder = holderOf(next, await store.acquire(next))
      // Its record is cached whenever the cache thaws; nobody waits for that.
      expect(await store.complete(holder, okResponse())).not.toBe('stale')
    } finally {
      redis.thaw()
    }
  })

  it('full: what does not fit is not there', async () => {
    await redis.admin.config('SET', 'maxmemory', '1')
    const store = open()
    const request = acquireRequest(randomUUID())
    await store.complete(holderOf(request, await store.acquire(request)), okResponse())
    await expect.poll(() => store.cacheCounts().errors).toBe(1)
    expect((await store.acquire({ ...request, retry: true })).kind).toBe('replay')
    await redis.admin.config('SET', 'maxmemory', '0')
  })

  it('killed, and back without anything: PostgreSQL answers all the while', async () => {
    const store = open()
    const request = await finish(store)
    await redis.kill()
    expect((await store.acquire({ ...request, retry: true })).kind).toBe('replay')
    const next = acquireRequest(randomUUID())
    expect(await store.complete(holderOf(next, await store.acquire(next)), okResponse())).not.toBe('stale')
    expect(asked).toBe(2)
    await redis.start()
    // Nothing was kept to be written later.
    expect(await cacheKeys()).toEqual([])
    await expect
      .poll(async () => {
        await store.acquire(request)
        return (await cacheKeys()).length
      })
      .toBe(1)
  })
})

it('bad options are named all at once', () => {
  const wrong = { store: {}, cache: {}, ask: 'never', cacheTimeoutMs: 0 } as never
  expect(() => createHybridStore(wrong)).toThrow(IdempotencyOptionsError)
  expect(() => createHybridStore(wrong)).toThrow(/store.*cache.*ask.*cacheTimeoutMs/)
})

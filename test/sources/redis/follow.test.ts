import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import type { IntentSource, RecordRow } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import { redisConfigSchema } from '@/lib/sources/redis/config'
import { openRedisSource } from '@/lib/sources/redis/open'
import { createGate } from '../../sdk/support'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { openStore } from './fixture'

let redis: RedisServer
let source: IntentSource
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())
beforeEach(async () => {
  await redis.admin.flushall()
  await redis.admin.config('RESETSTAT')
})
afterEach(() => source.close())

const PREFIX = 'node-idempotency:POST:/pay:'
const CONFIG = { library: 'node-idempotency' }
const hold = (key: string, to = redis) =>
  to.admin.set(`${PREFIX}${key}`, '{"status":"IN_PROGRESS"}', 'PX', 86_400_000)
const finish = (key: string, id = 'ch_1') =>
  redis.admin.set(
    `${PREFIX}${key}`,
    JSON.stringify({ status: 'COMPLETE', response: { body: { id }, additional: { statusCode: 201 } } }),
    'PX',
    86_400_000,
  )
const keysOf = async () => {
  const { leases, truncated } = await readAllLeases(source, 10_000)
  return { keys: leases.map(({ key }) => key).sort(), truncated }
}
const scans = async (): Promise<number> =>
  Number(/cmdstat_scan:calls=(\d+)/.exec(await redis.admin.info('commandstats'))?.[1] ?? 0)
async function fill(count: number): Promise<void> {
  const step = redis.admin.pipeline()
  for (let n = 0; n < count; n += 1) step.set(`somebody:${n}`, 'else')
  await step.exec()
}
async function recordsFrom(cursor: string | null) {
  const items: RecordRow[] = []
  let page = await source.readRecords(cursor, 2)
  items.push(...page.items)
  while (page.more) {
    page = await source.readRecords(page.cursor, 2)
    items.push(...page.items)
  }
  return { keys: items.map(({ key }) => key).sort(), cursor: page.cursor, unread: page.unread }
}

test('one walk, and from then on only what changed is read: taken, ended, expired, deleted', async () => {
  await fill(3_000)
  await hold('a')
  await hold('b')
  await finish('old')
  source = openStore(redis.url, CONFIG)
  expect(await keysOf()).toEqual({ keys: ['a', 'b'], truncated: false })
  const first = await recordsFrom(null)
  expect(first.keys).toEqual(['old'])
  const walked = await scans()
  expect(walked).toBeGreaterThan(10)
  await Promise.all([hold('c'), finish('a'), redis.admin.del(`${PREFIX}b`), hold('short')])
  await redis.admin.pexpire(`${PREFIX}short`, 1)
  await expect.poll(() => redis.admin.exists(`${PREFIX}short`)).toBe(0)
  expect(await keysOf()).toEqual({ keys: ['c'], truncated: false })
  const next = await recordsFrom(first.cursor)
  expect(next).toMatchObject({ keys: ['a'], unread: undefined })
  expect((await recordsFrom(next.cursor)).keys).toEqual([])
  expect(await scans()).toBe(walked)
})

test('a write that is answered is in the next reading, always', async () => {
  source = openStore(redis.url, CONFIG)
  await keysOf()
  for (let n = 0; n < 100; n += 1) {
    await hold(`k${n}`)
    expect((await keysOf()).keys).toContain(`k${n}`)
    await redis.admin.del(`${PREFIX}k${n}`)
    expect((await keysOf()).keys).toEqual([])
  }
})

test('what changes during a walk is neither lost nor shown as it was', async () => {
  await fill(2_000)
  for (let n = 0; n < 50; n += 1) await hold(`k${n}`)
  let steps = 0
  source = openRedisSource(
    redisConfigSchema.parse(CONFIG),
    { url: redis.url },
    {
      pause: async () => {
        steps += 1
        if (steps === 3) {
          for (let n = 0; n < 25; n += 1) await finish(`k${n}`)
          await hold('new')
        }
      },
    },
  )
  const { keys, truncated } = await keysOf()
  expect(truncated).toBe(false)
  expect(keys).toHaveLength(26)
  expect(keys).toContain('new')
})

test('a connection that is lost begins a new walk; nothing is missed, and nothing is said to be absent meanwhile', async () => {
  await fill(2_000)
  await hold('a')
  source = openStore(redis.url, { ...CONFIG, walkCallMs: 60_000 })
  expect((await keysOf()).keys).toEqual(['a'])
  const { cursor } = await recordsFrom(null)
  const before = await scans()
  await redis.admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await Promise.all([finish('a'), hold('b')])
  // The first reading may find the connection lost only when it asks: it then claims nothing.
  const answers = [await keysOf(), await keysOf()]
  for (const { keys, truncated } of answers) if (!truncated) expect(keys).toEqual(['b'])
  expect(answers.at(-1)).toEqual({ keys: ['b'], truncated: false })
  expect((await recordsFrom(cursor)).keys).toEqual(['a'])
  expect(await scans()).toBeGreaterThan(before)
})

test('a walk that takes longer than a call may goes on by itself, and says that it is not at its end', async () => {
  await fill(3_000)
  await hold('a')
  const gate = createGate()
  source = openRedisSource(
    redisConfigSchema.parse({ ...CONFIG, walkCallMs: 10 }),
    { url: redis.url },
    {
      pause: async (ms) => {
        // A call of 1 ms at least is followed by 15.
        expect(ms).toBeGreaterThanOrEqual(15)
        await gate.promise
      },
    },
  )
  const first = await source.readLeases({ limit: 100 })
  expect(first).toMatchObject({ truncated: true, wholeUntil: null })
  expect(first.unread).toMatch(/first walk/)
  await hold('b')
  gate.resolve()
  await expect.poll(keysOf).toEqual({ keys: ['a', 'b'], truncated: false })
})

test('two processes that read by turns follow each from its own place, and walk once each', async () => {
  await finish('one')
  source = openStore(redis.url, CONFIG)
  const other = openStore(redis.url, CONFIG)
  const read = async (from: IntentSource, cursor: string | null) => {
    const page = await from.readRecords(cursor, 100)
    return { keys: page.items.map(({ key }) => key), cursor: page.cursor }
  }
  const a = await read(source, null)
  const b = await read(other, a.cursor)
  const walked = await scans()
  await finish('two')
  const c = await read(source, b.cursor)
  expect(c.keys).toEqual(['two'])
  await finish('three')
  expect((await read(other, c.cursor)).keys.sort()).toEqual(['three', 'two'])
  expect(await scans()).toBe(walked)
  await other.close()
})

test('a restart of the server and of the console: what ended meanwhile is read, what was read before is not', async () => {
  await finish('before')
  source = openStore(redis.url, CONFIG)
  const { cursor, keys } = await recordsFrom(null)
  expect(keys).toEqual(['before'])
  await source.close()
  await finish('after')
  // As if it had been written long before the walk.
  await redis.admin.pexpire(`${PREFIX}before`, 3_600_000)
  source = openStore(redis.url, CONFIG)
  expect((await recordsFrom(cursor)).keys).toEqual(['after'])

  await hold('held')
  expect((await keysOf()).keys).toEqual(['held'])
  await redis.kill()
  await expect(source.readLeases({ limit: 1 })).rejects.toMatchObject({ fault: 'down' })
  await redis.start()
  expect(await keysOf()).toEqual({ keys: [], truncated: false })
})

test('keys without a prefix are walked at an interval; between walks known keys are read again, and the age is said', async () => {
  const value = (response?: object) =>
    JSON.stringify({ request: { method: 'POST', headers: {}, body: {}, url: '/' }, ...response })
  const set = (key: string, response?: object) => redis.admin.set(key, value(response), 'EX', 86_400)
  await fill(500)
  await set('one')
  await set('two')
  source = openStore(redis.url, { library: 'express-idempotency', walkEveryMs: 1_000_000 })
  const first = await readAllLeases(source, 100)
  expect(first).toMatchObject({ truncated: false, wholeUntil: first.now.toISOString() })
  const { cursor } = await recordsFrom(null)
  const walked = await scans()
  await set('one', { response: { statusCode: 201, body: '{}', headers: {} } })
  await set('three')
  const second = await readAllLeases(source, 100)
  expect(second.leases.map(({ key }) => key)).toEqual(['two'])
  // Whoever concludes that a key is gone does so of those that are older than that walk.
  expect(second).toMatchObject({ truncated: false, wholeUntil: first.wholeUntil })
  const { asOf, items } = await source.readRecords(cursor, 10)
  expect([items, asOf && asOf >= first.now && asOf <= second.now]).toEqual([[], true])
  expect(await scans()).toBe(walked)
  await source.close()
  source = openStore(redis.url, { library: 'express-idempotency' })
  expect((await readAllLeases(source, 100)).leases.map(({ key }) => key).sort()).toEqual(['three', 'two'])
})

test('a user who may not ask to be told: the store is walked instead', async () => {
  await redis.admin.call('ACL', 'SETUSER', 'plain', 'on', '>word', '~*', '+@all', '-client|tracking')
  await hold('a')
  source = openStore(redis.url.replace('redis://', 'redis://plain:word@'), { ...CONFIG, walkEveryMs: 1_000 })
  const reading = await readAllLeases(source, 10)
  expect(reading.leases.map(({ key }) => key)).toEqual(['a'])
  expect(reading.wholeUntil).not.toBeNull()
})

test('under load a walk leaves the server mostly to others', async () => {
  await fill(20_000)
  let pausedMs = 0
  source = openRedisSource(
    redisConfigSchema.parse(CONFIG),
    { url: redis.url },
    {
      pause: async (ms) => {
        pausedMs += ms
      },
    },
  )
  await keysOf()
  const stats = await redis.admin.info('commandstats')
  const usec = Number(/cmdstat_scan:calls=\d+,usec=(\d+)/.exec(stats)?.[1])
  // What the server did, and how long it was left alone.
  expect(usec / 1_000).toBeLessThan(pausedMs / 5)
})

test('a row under the prefix that is no record is named; it hides nothing and ends nothing', async () => {
  await redis.admin.set(`${PREFIX}odd`, '{"status":"WHAT"}', 'PX', 86_400_000)
  await redis.admin.set(`${PREFIX}for-ever`, '{"status":"IN_PROGRESS"}')
  await redis.admin.sadd(`${PREFIX}set`, 'x')
  await hold('a')
  source = openStore(redis.url, CONFIG)
  const { leases, unreadable = [] } = await source.readLeases({ limit: 10 })
  expect(leases.map(({ key }) => key)).toEqual(['a'])
  expect(unreadable.map(({ key, reason }) => [key, reason]).sort()).toEqual([
    ['for-ever', 'it never expires, so nothing tells when it was written'],
    ['odd', 'its status is none of this library: WHAT'],
  ])
  await expect(source.readKey('/POST /pay', 'odd')).rejects.toThrow(/cannot be understood/)
  expect(await source.readKey('/POST /pay', 'set')).toMatchObject({ lease: null, record: null })
  expect(await source.readKey('no scope', 'a')).toMatchObject({ lease: null, record: null })
})

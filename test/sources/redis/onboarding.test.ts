import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentLog } from '@/lib/log'
import { openAdapter } from '@/lib/sources/adapters'
import type { IntentSource } from '@/lib/sources/contracts'
import { detectSource, previewSource, sourceGrants } from '@/lib/sources/preview'
import { libraryOf } from '@/lib/sources/redis/detect'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { controlledWork, OPTIONS } from './fixture'
import { expressService, nodeIdempotency, powertools, recipe } from './libraries'

const actor = { kind: 'user', userId: 'u', name: 'a', role: 'admin', via: 'session' } as const
let redis: RedisServer
const running = controlledWork()
const open: (() => Promise<void>)[] = []
const held: Promise<unknown>[] = []
beforeAll(async () => {
  redis = await startRedis()
  const services = await Promise.all([
    powertools(redis.url, () => 1),
    nodeIdempotency(redis.url),
    expressService(redis.url),
    recipe(redis.url),
  ])
  await redis.admin.set('session:1', '{"user":1}')
  await redis.admin.set('counter', '7')
  await redis.admin.hset('profile:1', { status: 'done' })
  for (const [place, service] of services.entries()) {
    await service.request(`done-${place}`, async () => ({ status: 201, body: { id: 'ch_1' } }))
    held.push(service.request(`held-${place}`, running.work).catch(() => undefined))
    open.push(() => service.close())
  }
  while ((await redis.admin.dbsize()) < 11);
})
afterAll(async () => {
  running.succeed({})
  await Promise.all(held)
  for (const close of open) await close()
  await redis.close()
})

const detect = (url: string) => detectSource({ actor }, { engine: 'redis', secret: { url } })
const preview = (config: unknown, url = redis.url) =>
  previewSource({ actor, log: silentLog }, { adapter: 'redis', config, secret: { url } })

test('each library is found by the shape of its values, with what to connect it with', async () => {
  await expect
    .poll(async () => (await detect(redis.url)).map(({ rowsEstimate }) => rowsEstimate))
    .toEqual([2, 2, 2, 2])
  const layouts = await detect(redis.url)
  expect(layouts.map(({ library, place }) => [library, place]).sort()).toEqual([
    ['@node-idempotency', 'node-idempotency:{method}:{route}:{key}'],
    ['AWS Powertools (cache)', 'payments#{key}'],
    ['SET NX recipe', 'idempotency:{key}'],
    ['express-idempotency', '{key}'],
  ])
  for (const { config } of layouts) {
    const shown = await preview(config)
    expect(shown.rows.map(({ state }) => state).sort()).toEqual(['completed', 'leased'])
    expect(JSON.stringify(shown)).not.toMatch(/secret-of-the-caller|ch_1/)
    expect(shown.capabilities).toMatchObject({
      canRelease: false,
      reasons: { release: 'It was opened to be looked at.' },
    })
  }
})

test('what other libraries and other people keep is none of these', () => {
  expect(libraryOf('session:1', '{"user":1}')).toBeNull()
  expect(libraryOf('x', 'not json')).toBeNull()
  expect(libraryOf('x', '["status"]')).toBeNull()
  expect(libraryOf('x#y', '{"status":"INPROGRESS","expiration":1}')).toBe('powertools')
  // Without a method in its key, the status alone says nothing.
  expect(libraryOf('job:1', '{"status":"IN_PROGRESS"}')).toBeNull()
})

describe('what is wrong is told', () => {
  test.each([
    ['not a URL', 'nonsense', /redis:\/\/ or rediss:\/\/ URL/],
    ['another engine', 'postgres://a@b/c', /redis:\/\/ or rediss:\/\/ URL/],
    ['nobody there', 'redis://127.0.0.1:1', /cannot be reached.*ECONNREFUSED/],
  ])('%s', async (_, url, message) => {
    await expect(detect(url)).rejects.toThrow(message)
  })

  test('a wrong password, a missing one, and a user who lacks a right', async () => {
    await redis.admin.call('ACL', 'SETUSER', 'reader', 'on', '>right', '~*', '+@all', '-scan')
    const as = (user: string) => redis.url.replace('redis://', `redis://${user}@`)
    await expect(detect(as('reader:wrong'))).rejects.toThrow(/refuses the credentials: WRONGPASS/)
    await expect(detect(as('reader:right'))).rejects.toThrow(/lacks a right: NOPERM.*scan/)
    await expect(preview({}, as('reader:right'))).rejects.toThrow(/lacks a right/)
    await redis.admin.call('ACL', 'SETUSER', 'default', 'resetpass', '>pass')
    await expect(detect(redis.url)).rejects.toThrow(/refuses the credentials: NOAUTH/)
    await redis.admin.call('ACL', 'SETUSER', 'default', 'nopass')
  })

  test('a server that accepts and says nothing', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1')
    await new Promise((listening) => silent.once('listening', listening))
    const address = silent.address()
    const port = typeof address === 'object' ? address?.port : 0
    await expect(preview({ commandTimeoutMs: 200 }, `redis://127.0.0.1:${port}`)).rejects.toThrow(
      /is slow|cannot be reached/,
    )
    silent.close()
  })

  test('a pattern, a field and a lease that make no sense', async () => {
    await expect(preview({ pattern: 'no-key' })).rejects.toThrow(/ends in \{key\}/)
    await expect(preview({ library: 'bull' })).rejects.toThrow(/library/)
    await expect(preview({ library: 'powertools', requestMs: 5_000 })).rejects.toThrow(
      /in_progress_expiration/,
    )
  })
})

test('the generated rights are enough for everything that is offered, and for nothing else', async () => {
  const config = { library: 'node-idempotency', requestMs: 1_000 }
  const line = sourceGrants('redis', config, 'idemscope_source')
    .split('\n')
    .find((each) => each.startsWith('ACL'))
  const words = [...(line ?? '').matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? '')
  expect(await redis.admin.call(words[0] ?? '', ...words.slice(1))).toBe('OK')
  const url = redis.url.replace('redis://', 'redis://idemscope_source:choose-one@')
  const source = openAdapter('redis', config, { url }, { demo: false }) as IntentSource
  const [lease] = (await source.readLeases({ limit: 10 })).leases
  expect((await source.readRecords(null, 10)).items).toHaveLength(1)
  expect(await source.sample()).toMatchObject([{ tier: 'all', rows: 2n, expiredRows: 0n }])
  if (lease === undefined) throw new Error('no lease')
  const name = 'node-idempotency:POST:/v1/payments:held-1'
  const setBack = () => redis.admin.pexpire(name, 3_600_000)
  await setBack()
  const read = async () => (await source.readKey(lease.scope, lease.key)).lease
  const response = { status: 201, headers: {}, body: '{}' }
  const held = await read()
  if (held === null) throw new Error('no lease')
  expect(await source.complete(held.seen, { ...OPTIONS, response })).toMatchObject({ kind: 'done' })
  await redis.admin.set(name, '{"status":"IN_PROGRESS"}', 'PX', 3_600_000)
  const again = await read()
  if (again === null) throw new Error('no lease')
  expect(await source.release(again.seen, OPTIONS)).toMatchObject({ kind: 'done' })
  await source.close()

  const user = redis.admin.duplicate({ username: 'idemscope_source', password: 'choose-one' })
  for (const [command, ...words] of [
    ['FLUSHALL'],
    ['KEYS', '*'],
    ['CONFIG', 'GET', '*'],
    ['GET', 'session:1'],
    ['SET', 'session:1', 'mine'],
    ['ACL', 'LIST'],
  ])
    await expect(user.call(command ?? '', ...words), command).rejects.toThrow(/NOPERM/)
  user.disconnect()
})

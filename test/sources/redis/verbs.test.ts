import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { IntentSource, LeaseRow } from '@/lib/sources/contracts'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { controlledWork, liveKeys, OPTIONS, openStore } from './fixture'
import { expressService, nodeIdempotency, powertools, recipe, type Service } from './libraries'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())
beforeEach(() => redis.admin.flushall())

const REQUEST_MS = 60_000
const RESPONSE = { status: 201, headers: { 'content-type': 'application/json' }, body: '{"id":"ch_9"}' }

/** What a holder does that fails: of it the library keeps nothing, keeps its error, or notices nothing. */
type Failing = 'deletes' | 'keeps_error' | 'stays'
const LIBRARIES: {
  library: string
  open: (url: string) => Promise<Service>
  config: Record<string, unknown>
  failing: Failing
  status: number
}[] = [
  {
    library: 'powertools',
    // Its time is up at once: a Lambda that was ended.
    open: (url) => powertools(url, () => 1),
    config: { library: 'powertools', pattern: 'payments#{key}' },
    failing: 'deletes',
    // What a function returns has no status.
    status: 0,
  },
  {
    library: 'node-idempotency',
    open: nodeIdempotency,
    config: { library: 'node-idempotency', requestMs: REQUEST_MS },
    failing: 'keeps_error',
    status: 201,
  },
  {
    library: 'express-idempotency',
    open: expressService,
    config: { library: 'express-idempotency', requestMs: REQUEST_MS, walkEveryMs: 0 },
    failing: 'deletes',
    status: 201,
  },
  {
    library: 'the recipe',
    open: recipe,
    config: { requestMs: REQUEST_MS },
    failing: 'stays',
    status: 201,
  },
]

describe.each(LIBRARIES)('$library', ({ library, open, config, failing, status }) => {
  let service: Service
  let source: IntentSource
  beforeAll(async () => {
    service = await open(redis.url)
    source = openStore(redis.url, config)
  })
  afterAll(async () => {
    await source.close()
    await service.close()
  })

  /** A request whose holder has been silent for longer than its lease. */
  async function holdDead(key: string) {
    const running = controlledWork()
    const answer = service.request(key, running.work)
    answer.catch(() => undefined)
    await running.started
    if (library !== 'powertools') await setBack()
    await expect.poll(async () => (await liveKeys(source))[0]?.expired).toBe(true)
    const [lease] = await liveKeys(source)
    if (lease === undefined) throw new Error('no key is in progress')
    return { running, answer, lease }
  }
  /** As if every key had been taken so much earlier. */
  async function setBack(): Promise<void> {
    for (const name of await redis.admin.keys('*')) {
      const expiresMs = await redis.admin.pexpiretime(name)
      await redis.admin.pexpireat(name, expiresMs - 2 * REQUEST_MS)
    }
  }
  const body = (n: number) => ({ status: 201, body: { n } })
  const run = (key: string, n: number) => service.request(key, async () => body(n))
  const isFinal = async ({ scope, key }: LeaseRow) => (await source.readKey(scope, key)).record !== null

  test('releases a dead holder’s key once, so that a retry executes', async () => {
    const { lease, running, answer } = await holdDead('a')
    const both = await Promise.all([source.release(lease.seen, OPTIONS), source.release(lease.seen, OPTIONS)])
    expect(both.map(({ kind }) => kind).sort()).toEqual(['done', 'refused'])
    expect(both.find(({ kind }) => kind === 'refused')).toMatchObject({ reason: 'gone' })
    expect(await liveKeys(source)).toEqual([])
    expect(await run('a', 2)).toMatchObject({ kind: 'executed' })
    running.succeed({ n: 1 })
    await answer
  })

  test('does not touch a key that ended, is held by another one, or is held by a holder that may live', async () => {
    const { lease, running, answer } = await holdDead('b')
    expect(await source.release(lease.seen, { ...OPTIONS, graceMs: 86_400_000 })).toMatchObject({
      reason: 'holder_alive',
    })
    running.succeed({ n: 1 })
    await answer
    await expect.poll(() => isFinal(lease)).toBe(true)
    expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ reason: 'gone' })
    expect(await source.complete(lease.seen, { ...OPTIONS, response: RESPONSE })).toMatchObject({
      reason: 'gone',
    })
    expect(await run('b', 2)).toMatchObject({ kind: 'replayed', body: { n: 1 } })

    await redis.admin.flushall()
    const next = controlledWork()
    const nextAnswer = service.request('b', next.work)
    await next.started
    // The values of two holders can be equal: their expiry tells them apart.
    expect(await source.release(lease.seen, OPTIONS)).toMatchObject({
      kind: 'refused',
      reason: 'fence_changed',
    })
    expect(await source.complete(lease.seen, { ...OPTIONS, response: RESPONSE })).toMatchObject({
      reason: 'fence_changed',
    })
    next.succeed({ n: 3 })
    expect(await nextAnswer).toMatchObject({ kind: 'executed', body: { n: 3 } })
  })

  test('completes a dead holder’s key with what the library replays, for as long as it keeps it', async () => {
    const { lease, running, answer } = await holdDead('c')
    const complete = () => source.complete(lease.seen, { ...OPTIONS, response: RESPONSE })
    const both = await Promise.all([complete(), complete()])
    expect(both.map(({ kind }) => kind).sort()).toEqual(['done', 'refused'])
    expect(await run('c', 2)).toMatchObject({ kind: 'replayed', body: { id: 'ch_9' } })
    const { record, now } = await source.readKey(lease.scope, lease.key)
    expect(record).toMatchObject({
      state: 'completed',
      names: ['ch_9'],
      response: { status, body: RESPONSE.body },
    })
    expect(Number(record?.expiresAt) - now.getTime()).toBeGreaterThan(3_000_000)
    running.succeed({ n: 1 })
    await answer
    // Zombie-unsafe: it writes over what the operator stored.
    await expect.poll(async () => (await run('c', 3)).body).toEqual({ n: 1 })
  })

  test('a holder that comes back with success writes over the next one’s record', async () => {
    const { lease, running, answer } = await holdDead('d')
    await source.release(lease.seen, OPTIONS)
    expect(await run('d', 2)).toMatchObject({ kind: 'executed' })
    await expect.poll(() => isFinal(lease)).toBe(true)
    running.succeed({ n: 1 })
    await answer
    await expect.poll(async () => (await run('d', 3)).body).toEqual({ n: 1 })
  })

  test(`a holder that comes back with an error: ${failing}, as the dialog says`, async () => {
    const { lease, running, answer } = await holdDead('e')
    await source.release(lease.seen, OPTIONS)
    expect(await run('e', 2)).toMatchObject({ kind: 'executed' })
    await expect.poll(() => isFinal(lease)).toBe(true)
    running.fail()
    await answer.catch(() => undefined)
    const { zombie } = source.capabilities.reasons ?? {}
    if (failing === 'deletes') {
      await expect.poll(() => isFinal(lease)).toBe(false)
      expect(await run('e', 3)).toMatchObject({ kind: 'executed' })
      expect(zombie).toMatch(/deletes it, so that a third request executes/)
    } else if (failing === 'keeps_error') {
      expect(await run('e', 3)).toMatchObject({ kind: 'replayed', body: { status: 500 } })
      expect(zombie).toMatch(/leaves its error, which is replayed/)
    } else {
      expect(await run('e', 3)).toMatchObject({ kind: 'replayed', body: { n: 2 } })
      expect(zombie).toMatch(/nothing compares a token/)
    }
    expect(source.capabilities).toMatchObject({ zombieSafe: false, canFail: false, canCollect: false })
  })

  test('a holder that ends while a verb is on its way: either of them, never half', async () => {
    for (let round = 0; round < 10; round += 1) {
      await redis.admin.flushall()
      const { lease, running, answer } = await holdDead('f')
      running.succeed({ n: 1 })
      const verb = round % 2 === 0 ? 'release' : 'complete'
      const [outcome] = await Promise.all([
        verb === 'release'
          ? source.release(lease.seen, OPTIONS)
          : source.complete(lease.seen, { ...OPTIONS, response: RESPONSE }),
        answer,
      ])
      // Whatever came first: in the end the record is the holder's, or the key is gone until its own write.
      await expect.poll(() => isFinal(lease)).toBe(true)
      expect((await run('f', 2)).body).toEqual({ n: 1 })
      if (outcome.kind === 'refused') expect(outcome.reason).toBe('gone')
    }
  })
})

test('without a lease nothing is offered, and the reason says how it could be', async () => {
  const source = openStore(redis.url, { library: 'node-idempotency' })
  const service = await nodeIdempotency(redis.url)
  const running = controlledWork()
  const answer = service.request('g', running.work)
  await running.started
  const [lease] = await liveKeys(source)
  expect(source.capabilities).toMatchObject({ canRelease: false, canComplete: false })
  expect(source.capabilities.reasons?.release).toMatch(/keeps no lease.*requestMs/)
  if (lease === undefined) throw new Error('no lease')
  await expect(source.release(lease.seen, OPTIONS)).rejects.toMatchObject({
    fault: 'permission',
    refused: true,
  })
  running.succeed({})
  await answer
  await source.close()
  await service.close()
})

test('a mapped hash: its lease from a field, released and completed', async () => {
  const mapping = {
    format: 'hash',
    inProgress: ['PROCESSING'],
    completed: ['COMPLETED'],
    leaseUntil: 'lockedUntil',
    statusCode: 'code',
  }
  const source = openStore(redis.url, { pattern: 'orders:{caller}:{key}', endpoint: 'POST /orders', mapping })
  const name = 'orders:web:k1'
  const hold = async () => {
    await redis.admin.hset(name, {
      status: 'PROCESSING',
      lockedUntil: String(Date.now() - 1_000),
      token: 'é',
    })
    await redis.admin.pexpire(name, 86_400_000)
    const [lease] = await liveKeys(source)
    if (lease === undefined) throw new Error('no lease')
    return lease
  }
  const lease = await hold()
  expect(lease).toMatchObject({ scope: 'web/POST /orders', key: 'k1', state: 'leased', expired: true })
  await redis.admin.hset(name, 'token', 'other')
  expect(await source.release(lease.seen, OPTIONS)).toMatchObject({ reason: 'state_changed' })
  expect(await source.release((await hold()).seen, OPTIONS)).toMatchObject({ kind: 'done' })
  expect(await redis.admin.exists(name)).toBe(0)
  expect(await source.complete((await hold()).seen, { ...OPTIONS, response: RESPONSE })).toMatchObject({
    kind: 'done',
  })
  expect(await redis.admin.hgetall(name)).toMatchObject({ status: 'COMPLETED', code: '201', token: 'é' })
  expect((await source.readRecords(null, 10)).items).toMatchObject([
    { key: 'k1', status: 201, names: ['ch_9'] },
  ])
  await source.close()
})

import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { type RedisServer, startRedis } from '../../support/redis-server'
import { controlledWork, liveKeys, openStore } from './fixture'
import { expressService, nodeIdempotency, powertools, recipe, type Service } from './libraries'

let redis: RedisServer
beforeAll(async () => {
  redis = await startRedis()
})
afterAll(() => redis.close())
beforeEach(() => redis.admin.flushall())

const LIBRARIES = [
  {
    library: 'powertools',
    open: (url: string) => powertools(url, () => 60_000),
    config: { library: 'powertools', pattern: 'payments#{key}', endpoint: 'POST /v1/payments' },
    scope: '/POST /v1/payments',
    // What a function returns has no status of its own.
    status: null,
    leaseless: undefined,
    keepsErrors: false,
  },
  {
    library: 'node-idempotency',
    open: nodeIdempotency,
    config: { library: 'node-idempotency' },
    scope: '/POST /v1/payments',
    status: 201,
    leaseless: true,
    keepsErrors: true,
  },
  {
    library: 'express-idempotency',
    open: expressService,
    config: { library: 'express-idempotency', endpoint: 'POST /v1/payments' },
    scope: '/POST /v1/payments',
    status: 201,
    leaseless: true,
    keepsErrors: false,
  },
  {
    library: 'the recipe',
    open: recipe,
    config: { endpoint: 'POST /v1/payments' },
    scope: '/POST /v1/payments',
    status: 201,
    leaseless: true,
    keepsErrors: false,
  },
]

describe.each(LIBRARIES)('$library', ({ open, config, scope, status, leaseless, keepsErrors }) => {
  let service: Service
  let source: IntentSource
  beforeAll(async () => {
    service = await open(redis.url)
  })
  afterAll(() => service.close())
  beforeEach(() => {
    source = openStore(redis.url, config)
    return () => source.close()
  })
  const only = async () => {
    const [lease] = await liveKeys(source)
    if (lease === undefined) throw new Error('no key is in progress')
    return lease
  }

  test('a key in progress is shown, and read by its name; then it is a record with what it answered', async () => {
    const running = controlledWork()
    const answer = service.request('key-1', running.work)
    await running.started
    const lease = await only()
    expect(lease).toMatchObject({ scope, state: 'leased', expired: false })
    expect(lease.leaseless).toBe(leaseless)
    // Only Powertools stamps a lease, by the clock of its Lambda.
    expect(lease.clientClock).toBe(leaseless === undefined ? true : undefined)
    expect((await source.readKey(scope, lease.key)).lease).toEqual(lease)
    expect(Math.abs(lease.createdAt.getTime() - Date.now())).toBeLessThan(60_000)
    expect((await source.readRecords(null, 10)).items).toEqual([])

    running.succeed({ id: 'ch_1', reference: 'order-1' })
    expect(await answer).toMatchObject({ kind: 'executed' })
    await expect.poll(async () => (await source.readKey(scope, lease.key)).record?.state).toBe('completed')
    expect(await liveKeys(source)).toEqual([])
    const page = await source.readRecords(null, 10)
    expect(page).toMatchObject({ more: false })
    expect(page.items).toMatchObject([
      { scope, key: lease.key, state: 'completed', status, names: ['ch_1'], reference: 'order-1' },
    ])
    const { record } = await source.readKey(scope, lease.key)
    expect(JSON.parse(record?.response.body ?? '')).toEqual({ id: 'ch_1', reference: 'order-1' })
    expect(record?.expired).toBe(false)
    expect(await source.readRecords(page.cursor, 10)).toMatchObject({ items: [], more: false })
  })

  test('nothing of a request leaves the adapter: no header, no body', async () => {
    const running = controlledWork()
    const answer = service.request('key-2', running.work)
    await running.started
    const lease = await only()
    const shown = JSON.stringify([lease, await source.readKey(scope, lease.key)], (_, value) =>
      typeof value === 'bigint' ? value.toString() : value,
    )
    expect(shown).not.toMatch(/secret-of-the-caller|amount/)
    running.succeed({})
    await answer
  })

  test(`a handler that throws ${keepsErrors ? 'leaves a final error' : 'leaves no record, or a key that stays in progress'}`, async () => {
    const running = controlledWork()
    const answer = service.request('key-3', running.work)
    await running.started
    const lease = await only()
    running.fail()
    await answer.catch(() => undefined)
    if (keepsErrors) {
      await expect
        .poll(async () => (await source.readKey(scope, lease.key)).record?.state)
        .toBe('failed_final')
      expect((await source.readKey(scope, lease.key)).record).toMatchObject({ status: 500 })
    } else {
      await expect.poll(async () => (await source.readKey(scope, lease.key)).record).toBeNull()
    }
  })
})

test('Powertools without the time of its Lambda is not stuck: shown as waiting for a retry, and not released', async () => {
  const service = await powertools(redis.url, () => null)
  const source = openStore(redis.url, { library: 'powertools', pattern: 'payments#{key}' })
  const first = controlledWork()
  const answer = service.request('open', first.work)
  await first.started
  const [lease] = await liveKeys(source)
  expect(lease).toMatchObject({ state: 'retryable', expired: false })
  expect(lease?.leaseless).toBeUndefined()
  // It is so: a second request runs beside the first.
  expect(await service.request('open', async () => ({ status: 201, body: { n: 2 } }))).toMatchObject({
    kind: 'executed',
  })
  // The lock of that takeover is no record.
  expect((await redis.admin.keys('*')).some((name) => name.endsWith(':lock'))).toBe(true)
  expect(await liveKeys(source)).toEqual([])
  expect((await source.readRecords(null, 10)).items).toHaveLength(1)
  first.succeed({})
  await answer
  await source.close()
  await service.close()
})

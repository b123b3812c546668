import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createDynamoFixture } from '../sdk/dynamodb/fixture'
import { needPrograms } from '../support/installed'
import { startRedis } from '../support/redis-server'
import { createStoreFixture, pay, problemOf, runGateway, type Settings, settingsFor } from './gateway-fixture'
import { type SocketUpstream, startSocketUpstream } from './socket-upstream'

let upstream: SocketUpstream
beforeAll(async () => {
  upstream = await startSocketUpstream()
})
afterAll(() => upstream.close())

/** One execution, its replay, and an outcome that stays unknown. */
async function expectKept(store: Settings): Promise<void> {
  const gateway = await runGateway(settingsFor({ url: '' }, upstream.url, {}, { stores: { main: store } }))
  upstream.received.length = 0
  upstream.behave({ kind: 'answer', status: 201 })
  const key = randomUUID()
  const answers = await Promise.all([pay(gateway, key), pay(gateway, key), pay(gateway, key)])
  expect(answers.map(({ status }) => status).filter((status) => status !== 409)).toContain(201)
  expect((await pay(gateway, key)).headers.get('idempotent-replayed')).toBe('true')
  expect(upstream.received).toHaveLength(1)
  upstream.behave({ kind: 'reset' })
  const lost = randomUUID()
  expect(await problemOf(await pay(gateway, lost))).toBe('outcome-unknown')
  expect(await problemOf(await pay(gateway, lost))).toBe('unknown-outcome')
  expect(upstream.received).toHaveLength(2)
  await gateway.stop()
}

const DURABLE = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction']

test('Redis', async (context) => {
  needPrograms(context, 'redis-server')
  const redis = await startRedis(DURABLE)
  await expectKept({ type: 'redis', url: `redis://127.0.0.1:${redis.port}`, tiers: { default: '1h' } })
  await redis.close()
})

test('PostgreSQL with a cache in Redis', async (context) => {
  needPrograms(context, 'redis-server')
  const redis = await startRedis(DURABLE)
  const fixture = await createStoreFixture()
  await expectKept({
    type: 'hybrid',
    url: fixture.url,
    cache: `redis://127.0.0.1:${redis.port}`,
    tiers: { default: '1h' },
  })
  await fixture.close()
  await redis.close()
})

test('DynamoDB', async () => {
  const fixture = await createDynamoFixture()
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' })
  await expectKept({
    type: 'dynamodb',
    table: fixture.tableName,
    region: 'local',
    endpoint: fixture.line.endpoint,
    assumeDurable: true,
    tiers: { default: '1h' },
  })
  await fixture.close()
})

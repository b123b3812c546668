import { randomUUID } from 'node:crypto'
import { CreateTableCommand, QueryCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { IdempotencyOptionsError } from '@/sdk/errors'
import { createDynamoStore } from '@/sdk/stores/dynamodb'
import { beginning } from '../conformance/harness'
import { acquireRequest, holderOf, okResponse } from '../support'
import type { Fault } from './emulator'
import { createDynamoFixture, type DynamoFixture } from './fixture'

let fixture: DynamoFixture
beforeAll(async () => {
  fixture = await createDynamoFixture()
})
afterAll(() => fixture.close())

const open = (over: { tableName?: string; assumeDurable?: boolean } = {}) => fixture.openStore(over)
const faultsOf = async (store: ReturnType<typeof open>): Promise<string> => {
  const error = await store.checkStore().catch((thrown: unknown) => thrown)
  if (!(error instanceof IdempotencyOptionsError)) return ''
  return error.faults.join('\n')
}

describe('createTable', () => {
  it('makes it once, however many processes want it, and leaves it as it is', async () => {
    const stores = Array.from({ length: 4 }, () =>
      open({ tableName: fixture.tableName.replace('idem', 'made') }),
    )
    const made = await Promise.all(stores.map((store) => store.createTable()))
    expect(made.filter(({ created }) => created)).toHaveLength(1)
    expect(await stores[0]?.createTable()).toEqual({ created: false })
    expect(await stores[0]?.checkStore()).toEqual({ durability: 'one_region', faults: [], warnings: [] })
  })
})

describe('checkStore', () => {
  it('says what is wrong with somebody else’s table, all at once', async () => {
    const tableName = `other-${randomUUID()}`
    await fixture.line.client.send(
      new CreateTableCommand({
        TableName: tableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    )
    const faults = await faultsOf(open({ tableName }))
    expect(faults).toMatch(/keys pk \(partition\) and sk \(sort\)/)
    expect(faults).toMatch(/index "live"/)
    expect(faults).toMatch(/TTL .* is off/)
  })

  it('no operation runs on it, and none is an unavailable store', async () => {
    const store = open({ tableName: 'no-such-table' })
    await expect(store.acquire(acquireRequest('k'))).rejects.toThrow(IdempotencyOptionsError)
    await expect(store.registerTier('default', 60_000)).rejects.toThrow('call createTable')
    expect(store.health().faults).toHaveLength(2)
  })

  const denied = { status: 400, body: { __type: 'com.amazon.coral.service#AccessDeniedException' } }
  const replicated = (consistency: string): Fault => ({
    status: 200,
    body: {
      Table: {
        TableStatus: 'ACTIVE',
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: 'live',
            KeySchema: [
              { AttributeName: 'live', KeyType: 'HASH' },
              { AttributeName: 'c', KeyType: 'RANGE' },
            ],
          },
        ],
        Replicas: [{ RegionName: 'eu-west-1' }],
        MultiRegionConsistency: consistency,
      },
    },
  })

  it.each([
    ['may not be described', denied, /not verified: this role may not call dynamodb:DescribeTable/],
    [
      'is replicated with eventual consistency',
      replicated('EVENTUAL'),
      /eu-west-1 with eventual consistency/,
    ],
  ] as const)('a table that %s starts only on the word of assumeDurable', async (_, fault, says) => {
    const describeTable = ({ operation }: { operation: string }) => operation === 'DescribeTable'
    fixture.line.breakNext(fault, describeTable)
    expect(await faultsOf(open())).toMatch(says)
    fixture.line.breakNext(fault, describeTable)
    const store = open({ assumeDurable: true })
    expect(store.attributes?.()).toEqual({ 'idempotency.store.durability': 'unchecked' })
    const health = await store.checkStore()
    expect(health).toMatchObject({ durability: 'not_verified', faults: [] })
    expect(health.warnings.join()).toMatch(says)
    expect(store.attributes?.()).toEqual({ 'idempotency.store.durability': 'not_verified' })
    expect((await store.acquire(acquireRequest(`durable-${says}`))).kind).toBe('acquired')
  })

  it('a global table of strong consistency is durable in all its regions', async () => {
    fixture.line.breakNext(replicated('STRONG'), ({ operation }) => operation === 'DescribeTable')
    expect((await open().checkStore()).durability).toBe('all_regions')
  })
})

it('bad options are named all at once', () => {
  const wrong = { client: {} as never, tableName: 'x', operationTimeoutMs: 0 }
  expect(() => createDynamoStore(wrong)).toThrow(/client.*tableName.*operationTimeoutMs/)
})

it('the index has live keys, and no others', async () => {
  const { store, line, tableName } = fixture
  const live = async () => {
    const shards = await Promise.all(
      Array.from({ length: 8 }, (_, shard) =>
        line.client.send(
          new QueryCommand({
            TableName: tableName,
            IndexName: 'live',
            KeyConditionExpression: '#l = :shard',
            ExpressionAttributeNames: { '#l': 'live' },
            ExpressionAttributeValues: { ':shard': { N: String(shard) } },
          }),
        ),
      ),
    )
    return shards
      .flatMap(({ Items = [] }) => Items.map(({ pk }) => pk?.S ?? ''))
      .filter((pk) => pk.includes('indexed-'))
  }
  const hold = async (key: string) => holderOf(acquireRequest(key), await store.acquire(acquireRequest(key)))
  const [leased, unknown, done, back] = [
    await hold('indexed-leased'),
    await hold('indexed-unknown'),
    await hold('indexed-done'),
    await hold('indexed-back'),
  ]
  expect(await live()).toHaveLength(4)
  await store.beginEffect(unknown, beginning())
  await store.abandon(unknown)
  await store.complete(done, okResponse())
  await store.giveBack(back)
  await store.heartbeat(leased, 20_000)
  expect((await live()).map((pk) => pk.split(':')[2]).sort()).toEqual(['indexed-leased', 'indexed-unknown'])
})

it('a live key never has a TTL; a key that is over has one an hour after its end', async () => {
  const { store } = fixture
  const request = acquireRequest('ttl')
  const holder = holderOf(request, await store.acquire(request))
  expect((await fixture.item(request))?.ttl).toBeUndefined()
  const completed = await store.complete(holder, okResponse())
  if (completed === 'stale') throw new Error('stale')
  const ttl = Number((await fixture.item(request))?.ttl?.N)
  expect(ttl * 1000 - completed.expiresAt.getTime()).toBeGreaterThanOrEqual(3_600_000)
  await fixture.change(request, 'SET x = :none', { ':none': { N: '0' } })
  await store.acquire(request)
  const item = await fixture.item(request)
  expect([item?.ttl, item?.x, item?.b, item?.q, item?.s?.S]).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
    'L',
  ])
})

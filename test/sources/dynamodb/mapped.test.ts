import { afterAll, beforeAll, expect, test } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { dynamoConfigSchema } from '@/lib/sources/dynamodb/config'
import { allRecords, type DynamoInput, type Item, leaseOf, startTables, type Tables } from './fixture'

/** A table of a library that we do not know, by its mapping: names, states, units, and what each verb writes. */

let tables: Tables
let source: IntentSource
const table = 'orders'
const scope = 'tenant-7/POST /orders'
const options = { actionId: 'act_1', graceMs: 0 }
const response = { status: 201, headers: { 'x-a': '1' }, body: '{"id":"ch_9"}' }

const config: DynamoInput = {
  table,
  endpoint: 'POST /orders',
  layout: {
    library: 'mapped',
    partition: 'PK',
    split: { separator: '|', at: 'first' },
    state: {
      kind: 'values',
      attribute: 'phase',
      leased: ['RUNNING'],
      completed: ['OK'],
      failed: ['DEAD'],
      retryable: ['FREE'],
    },
    lease: { attribute: 'held until', unit: 's' },
    createdAt: { attribute: 'madeAt', unit: 'iso' },
    expiry: { attribute: 'ttl', unit: 's' },
    ttlMs: 86_400_000,
    fingerprint: 'hash',
    response: { kind: 'attributes', status: 'code', headers: 'headers', body: 'body', stored: 'native' },
    release: { set: { phase: 'FREE', 'held until': null } },
    complete: { set: { phase: 'OK', ttl: { nowAs: 's', afterMs: 86_400_000 } } },
    fail: { set: { phase: 'DEAD', endedAt: { nowAs: 'iso' }, ended: { nowAs: 'ms' } } },
  },
  providerKeyed: true,
}

const madeAt = new Date(Date.now() - 600_000).toISOString()
const seconds = (offset: number) => ({ N: String(Math.floor(Date.now() / 1_000) + offset) })
const place = (key: string): Item => ({ PK: { S: `tenant-7|${key}` } })
const put = (key: string, over: Item = {}) =>
  tables.put(table, {
    ...place(key),
    phase: { S: 'RUNNING' },
    'held until': seconds(-300),
    madeAt: { S: madeAt },
    ttl: seconds(80_000),
    hash: { S: 'h' },
    ...over,
  })

beforeAll(async () => {
  tables = await startTables()
  await tables.create(table, 'PK')
  source = tables.open(config)
})
afterAll(async () => {
  await source.close()
  await tables.close()
})

test('each state is told by its value, and a value that is not listed is unknown', async () => {
  await put('held', { 'held until': seconds(300) })
  await put('passed')
  await put('free', { phase: { S: 'FREE' } })
  await put('odd', { phase: { S: 'PAUSED' } })
  const done = {
    code: { N: '201' },
    headers: { M: { a: { S: 'b' } } },
    body: { M: { id: { S: 'ch_1' }, n: { N: '12345678901234567890' } } },
  }
  await put('done', { phase: { S: 'OK' }, ...done })
  await put('dead', { phase: { S: 'DEAD' } })
  const { leases } = await source.readLeases({ limit: 10 })
  const states = Object.fromEntries(leases.map(({ key, state, expired }) => [key, `${state} ${expired}`]))
  expect(states).toMatchObject({
    held: 'leased false',
    passed: 'leased true',
    free: 'retryable true',
    odd: 'unknown true',
  })
  expect(leases[0]?.createdAt.toISOString()).toBe(madeAt)
  const { items } = await allRecords(source)
  expect(items.map(({ key, state, status }) => [key, state, status]).sort()).toEqual([
    ['dead', 'failed_final', null],
    ['done', 'completed', 201],
  ])
  const { record } = await source.readKey(scope, 'done')
  expect(record).toMatchObject({ createdAtText: madeAt, response: { headers: { a: 'b' } }, names: ['ch_1'] })
  // Digits beyond what a number of JavaScript keeps are as the store prints them.
  expect(record?.response.body).toBe('{"id":"ch_1","n":12345678901234567890}')
})

test('each verb writes what the mapping says, and nothing else', async () => {
  for (const key of ['release', 'complete', 'fail']) await put(key)
  const before = await tables.get(table, place('release'))
  await source.release((await leaseOf(source, scope, 'release')).seen, options)
  const { 'held until': _, ...kept } = before ?? {}
  expect(await tables.get(table, place('release'))).toEqual({ ...kept, phase: { S: 'FREE' } })

  await source.complete((await leaseOf(source, scope, 'complete')).seen, { ...options, response })
  expect(await tables.get(table, place('complete'))).toMatchObject({
    phase: { S: 'OK' },
    code: { N: '201' },
    headers: { M: { 'x-a': { S: '1' } } },
    body: { M: { id: { S: 'ch_9' } } },
    hash: { S: 'h' },
  })
  expect((await source.readKey(scope, 'complete')).record?.createdAtText).toBe(madeAt)

  await source.fail((await leaseOf(source, scope, 'fail')).seen, { ...options, response })
  const failed = await tables.get(table, place('fail'))
  expect(failed).toMatchObject({ phase: { S: 'DEAD' }, endedAt: { S: expect.stringMatching(/^\d{4}-/) } })
  expect(Math.abs(Number(failed?.ended?.N) - Date.now())).toBeLessThan(60_000)
})

test('an absent key is absent, whatever its name, and no act makes it', async () => {
  for (const key of ['nobody', "o'hara", '|', 'ключ', 'x'.repeat(255)])
    expect(await source.readKey(scope, key)).toMatchObject({ lease: null, record: null })
  expect(await source.readKey('not a scope', 'held')).toMatchObject({ lease: null, record: null })
  await put('ghost')
  const { seen } = await leaseOf(source, scope, 'ghost')
  const absent = { ...seen, key: 'nobody' }
  expect(await source.release(absent, options)).toMatchObject({ kind: 'refused', reason: 'gone' })
  expect(await tables.get(table, place('nobody'))).toBeUndefined()
})

test('a table with a sort key has its partition as the caller', async () => {
  await tables.create('sorted', 'pk', 'sk')
  const sorted = tables.open({
    ...config,
    table: 'sorted',
    layout: { ...config.layout, partition: 'pk', sort: 'sk', split: undefined } as DynamoInput['layout'],
  })
  await tables.put('sorted', {
    pk: { S: 'tenant/7' },
    sk: { S: 'order#1' },
    phase: { S: 'RUNNING' },
    'held until': seconds(-300),
    madeAt: { S: madeAt },
    ttl: seconds(80_000),
  })
  expect(await leaseOf(sorted, 'tenant/7/POST /orders', 'order#1')).toMatchObject({
    state: 'leased',
    expired: true,
  })
  await sorted.close()
})

test('a mapping that cannot be is refused by name', () => {
  const bad = (layout: object) => dynamoConfigSchema.safeParse({ table, layout }).error?.issues[0]?.path
  expect(bad({ ...config.layout, expiry: { attribute: 'ttl', unit: 'days' } })).toEqual([
    'layout',
    'expiry',
    'unit',
  ])
  expect(bad({ ...config.layout, release: { set: {} } })).toEqual(['layout', 'release', 'set'])
  expect(bad({ library: 'another' })).toEqual(['layout', 'library'])
  expect(dynamoConfigSchema.safeParse({ ...config, table: 'a b' }).success).toBe(false)
})

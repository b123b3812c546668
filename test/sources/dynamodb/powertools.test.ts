import { createHash } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { IntentSource } from '@/lib/sources/contracts'
import { allRecords, type DynamoInput, leaseOf, startTables, type Tables } from './fixture'
import { type Powertools, usePowertools } from './powertools'

/** Items that the real library wrote, in every state that it has. */

let tables: Tables
beforeAll(async () => {
  tables = await startTables()
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
})
afterAll(async () => {
  vi.restoreAllMocks()
  await tables.close()
})

const SCOPE = 'pay/POST /payments'
const TS = { library: 'powertools-typescript', returns: 'value' } as const

const ATTRIBUTES = {
  keyAttr: 'k',
  statusAttr: 'state',
  expiryAttr: 'ttl',
  inProgressExpiryAttr: 'lease',
  dataAttr: 'answer',
  validationKeyAttr: 'check',
}

describe.each([
  { name: 'plain', options: {}, scope: SCOPE, keyOf: (hash: string) => hash },
  {
    name: 'composite',
    options: { sort: 'sk' },
    scope: 'idempotency#pay/POST /payments',
    keyOf: (hash: string) => `pay#${hash}`,
  },
  { name: 'renamed', options: { attributes: ATTRIBUTES }, scope: SCOPE, keyOf: (hash: string) => hash },
])('$name keys', ({ name, options, scope, keyOf }) => {
  let library: Powertools
  let source: IntentSource
  let config: DynamoInput & { layout: { library: 'powertools-typescript' } }
  const table = `pt-${name}`
  const key = (caller: string) => keyOf(library.hashOf(caller))
  beforeAll(async () => {
    const attributes = 'attributes' in options ? options.attributes : undefined
    const sort = 'sort' in options ? options.sort : undefined
    await tables.create(table, attributes?.keyAttr ?? 'id', sort)
    library = usePowertools(tables, table, options)
    const sorted = sort === undefined ? {} : { sortKeyAttr: sort }
    config = {
      table,
      endpoint: 'POST /payments',
      layout: { ...TS, ...attributes, ...sorted, hashFunction: 'md5' },
    }
    source = tables.open(config)
  })
  afterAll(() => source.close())

  test('in progress within a lambda: leased until its time is over', async () => {
    const before = Date.now()
    await library.hold('held')
    const lease = await leaseOf(source, scope, key('held'))
    expect(lease).toMatchObject({
      scope,
      key: key('held'),
      state: 'leased',
      expired: false,
      clientClock: true,
    })
    expect(lease.leaseless).toBeUndefined()
    expect(lease.leaseUntil.getTime()).toBeGreaterThanOrEqual(before + 60_000)
    // Whole seconds, rounded: its expiry minus the hour for which the library keeps it.
    expect(Math.abs(lease.createdAt.getTime() - before)).toBeLessThanOrEqual(60_000)
    expect((await source.readLeases({ limit: 100 })).leases.map((each) => each.key)).toContain(key('held'))
  })

  test.each([
    ['without a lambda context', null],
    ['with no time remaining', 0],
  ])('in progress %s: leased, no lease, and never released', async (what, remainingMs) => {
    await library.hold(what, { remainingMs })
    const lease = await leaseOf(source, scope, key(what))
    expect(lease).toMatchObject({ state: 'leased', leaseless: true, expired: false })
    expect(lease.leaseUntil).toEqual(new Date(lease.createdAt.getTime() + 3_600_000))
    const outcome = await source.release(lease.seen, { actionId: 'act_1', graceMs: 0 })
    expect(outcome).toMatchObject({ kind: 'refused', reason: 'holder_alive' })
  })

  test('completed: a record with what is replayed, though the stamp of its lease stays', async () => {
    await library.finish('done', { id: 'ch_1' })
    const { lease, record } = await source.readKey(scope, key('done'))
    expect(lease).toBeNull()
    expect(record).toMatchObject({ state: 'completed', status: null, expired: false, names: ['ch_1'] })
    expect(JSON.parse(record?.response.body ?? '')).toEqual({ id: 'ch_1' })
    expect(await library.itemOf('done')).toHaveProperty(
      'attributes' in options && options.attributes ? 'lease' : 'in_progress_expiration',
    )
    const { items } = await allRecords(source)
    expect(items.filter((each) => each.key === key('done'))).toHaveLength(1)
  })

  test('completed without an answer: a record whose body is empty', async () => {
    await library.finish('nothing', undefined)
    expect((await source.readKey(scope, key('nothing'))).record).toMatchObject({
      state: 'completed',
      response: { body: '' },
    })
  })

  test('failed: nothing is kept, and absent is what it is', async () => {
    const failing = await library.hold('failing')
    failing.fail()
    await expect(failing.answer).rejects.toThrow()
    expect(await source.readKey(scope, key('failing'))).toMatchObject({ lease: null, record: null })
  })

  test('past its expiry and not deleted by TTL: expired, by our own look at the stamp', async () => {
    await library.finish('old', { id: 'ch_2' })
    const past = { N: String(Math.floor(Date.now() / 1_000) - 86_400) }
    const expiry = 'attributes' in options && options.attributes ? 'ttl' : 'expiration'
    await tables.set(table, library.placeOf('old'), expiry, past)
    expect((await source.readKey(scope, key('old'))).record).toMatchObject({ expired: true })
  })

  test('the caller’s key is not in the store: a look-up by it computes the hash', async () => {
    const computed = await source.readKey(scope, 'done')
    expect(computed.record?.key).toBe(key('done'))
    const silent = tables.open({ ...config, layout: { ...config.layout, hashFunction: undefined } })
    expect(await silent.readKey(scope, 'done')).toMatchObject({ lease: null, record: null })
    await silent.close()
  })
})

test('Python: hex hashes, and the answer as a JSON text', async () => {
  await tables.create('pt-python', 'id')
  const hash = 'd41d8cd98f00b204e9800998ecf8427e'
  const seconds = Math.floor(Date.now() / 1_000)
  const item = {
    id: { S: `orders.handler#${hash}` },
    status: { S: 'COMPLETED' },
    expiration: { N: String(seconds + 3_600) },
    in_progress_expiration: { N: String(seconds * 1_000 + 900_000) },
    validation: { S: 'abc' },
    data: { S: '{"statusCode": 201, "headers": {"x-a": "1"}, "body": "{\\"id\\": \\"ch_9\\"}"}' },
  }
  await tables.put('pt-python', item)
  // md5 of json.dumps('Größe'), which is "Gr\\u00f6\\u00dfe" in ASCII.
  const dumped = createHash('md5').update('"Gr\\u00f6\\u00dfe"').digest('hex')
  await tables.put('pt-python', { ...item, id: { S: `orders.handler#${dumped}` } })
  const source = tables.open({
    table: 'pt-python',
    endpoints: { 'orders.handler': 'POST /orders' },
    layout: { library: 'powertools-python', returns: 'api-gateway', hashFunction: 'md5' },
    responses: { 'POST /orders': { status: 201, headers: {}, body: '{}' } },
  })
  const scope = 'orders.handler/POST /orders'
  expect((await source.readKey(scope, 'Größe')).record?.key).toBe(dumped)
  const { record } = await source.readKey(scope, hash)
  expect(record).toMatchObject({
    status: 201,
    fingerprint: 'abc',
    names: ['ch_9'],
    response: { headers: { 'x-a': '1' } },
  })
  expect(record?.completedAt).toEqual(new Date(seconds * 1_000))
  const { data: _, ...held } = {
    ...item,
    id: { S: `orders.handler#${'0'.repeat(32)}` },
    status: { S: 'INPROGRESS' },
  }
  await tables.put('pt-python', { ...held, in_progress_expiration: { N: String((seconds - 60) * 1_000) } })
  const lease = await leaseOf(source, scope, '0'.repeat(32))
  const response = { status: 201, headers: { 'x-a': '2' }, body: '{"id":"ch_10"}' }
  const options = { actionId: 'act_1', graceMs: 0 }
  expect(await source.complete(lease.seen, { ...options, response })).toMatchObject({ kind: 'done' })
  const written = await tables.get('pt-python', { id: { S: `orders.handler#${'0'.repeat(32)}` } })
  expect(JSON.parse(written?.data?.S ?? '')).toEqual({
    statusCode: 201,
    headers: { 'x-a': '2' },
    body: '{"id":"ch_10"}',
  })
  expect(written).toMatchObject({ status: { S: 'COMPLETED' }, validation: { S: 'abc' } })
  await source.close()
})

import { CreateTableCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { systemClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import { openAdapter } from '@/lib/sources/adapters'
import { connectSource } from '@/lib/sources/connect'
import type { IntentSource } from '@/lib/sources/contracts'
import { explainCapabilities } from '@/lib/sources/explain-capabilities'
import { detectSource, previewSource, sourceGrants } from '@/lib/sources/preview'
import { createTestDatabase } from '../../support/database'
import { noQueue } from '../../support/no-queue'
import { leaseOf, startTables, type Tables } from './fixture'
import { usePowertools } from './powertools'

/** From a region and a role to a connected store, on tables of the real library. */

let tables: Tables
const admin = { kind: 'user', userId: 'u1', name: 'a', role: 'admin', via: 'session' } as const
const seconds = Math.floor(Date.now() / 1_000)

beforeAll(async () => {
  vi.spyOn(console, 'warn').mockImplementation(() => undefined)
  tables = await startTables()
  await tables.create('ts-table', 'id')
  const library = usePowertools(tables, 'ts-table')
  await library.hold('held')
  await library.finish('done', { statusCode: 201, body: '{"id":"ch_secret"}' })
  await tables.create('ts-composite', 'pk', 'sk')
  await usePowertools(tables, 'ts-composite', { sort: 'sk', attributes: { keyAttr: 'pk' } }).finish('done', {
    id: 'x',
  })
  await tables.create('py-table', 'id')
  await tables.put('py-table', {
    id: { S: 'orders.handler#d41d8cd98f00b204e9800998ecf8427e' },
    status: { S: 'COMPLETED' },
    expiration: { N: String(seconds + 3_600) },
    data: { S: '{"id": "ch_9"}' },
  })
  await tables.create('recipe-table', 'pk')
  await tables.put('recipe-table', {
    pk: { S: 'user-7#order#1' },
    request_hash: { S: 'abc' },
    response_status: { N: '201' },
    response_body: { S: '{"id":"ch_7"}' },
    ttl: { N: String(seconds + 600) },
  })
  await tables.create('users', 'pk', 'sk')
  await tables.put('users', { pk: { S: 'USER#1' }, sk: { S: 'A' }, status: { S: 'ACTIVE' } })
  await tables.client.send(
    new CreateTableCommand({
      TableName: 'numbers',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'n', AttributeType: 'N' }],
      KeySchema: [{ AttributeName: 'n', KeyType: 'HASH' }],
    }),
  )
})
afterAll(async () => {
  vi.restoreAllMocks()
  await tables.close()
})

const detect = (secret: Record<string, unknown> = tables.secret) =>
  detectSource({ actor: admin }, { engine: 'dynamodb', secret })

test('layouts are known by their items’ attributes, never by a table’s name', async () => {
  const found = await detect()
  expect(found.map(({ place, library, config }) => [place, library, config.layout])).toEqual([
    [
      'py-table',
      'AWS Powertools for Python',
      { library: 'powertools-python', keyAttr: 'id', returns: 'value' },
    ],
    ['recipe-table', 'guide recipe', { library: 'guide-recipe', keyAttr: 'pk' }],
    [
      'ts-composite',
      'AWS Powertools for TypeScript',
      { library: 'powertools-typescript', keyAttr: 'pk', sortKeyAttr: 'sk', returns: 'value' },
    ],
    [
      'ts-table',
      'AWS Powertools for TypeScript',
      { library: 'powertools-typescript', keyAttr: 'id', returns: 'api-gateway' },
    ],
  ])
  expect(await detect({ ...tables.secret, table: 'py-table' })).toHaveLength(1)
})

test('what was found can be previewed as it is: no bodies, and what reading costs', async () => {
  for (const layout of await detect()) {
    const input = { adapter: 'dynamodb' as const, config: layout.config, secret: tables.secret }
    const preview = await previewSource({ actor: admin, log: silentLog }, input)
    expect(preview.rows.length, layout.place).toBeGreaterThan(0)
    expect(JSON.stringify(preview)).not.toContain('ch_secret')
    const [read] = explainCapabilities(preview.capabilities) ?? []
    expect(read).toMatchObject({ name: 'Read', why: expect.stringMatching(/\d+ capacity units an hour/) })
  }
})

test('a preview changes nothing', async () => {
  const [layout] = await detect({ ...tables.secret, table: 'ts-table' })
  const rules = { demo: false, readOnly: true }
  const source = openAdapter('dynamodb', layout?.config, tables.secret, rules) as IntentSource
  const { leases } = await source.readLeases({ limit: 10 })
  const lease = await leaseOf(source, leases[0]?.scope ?? '', leases[0]?.key ?? '')
  await expect(source.release(lease.seen, { actionId: 'act_1', graceMs: 0 })).rejects.toMatchObject({
    fault: 'read_only',
    refused: true,
  })
  await source.close()
})

test('the guide recipe: user and key of one text, finished items only', async () => {
  const source = tables.open({
    table: 'recipe-table',
    layout: { library: 'guide-recipe' },
    endpoint: 'POST /orders',
  })
  const { record } = await source.readKey('user-7/POST /orders', 'order#1')
  expect(record).toMatchObject({ status: 201, names: ['ch_7'], fingerprint: 'abc', expired: false })
  expect(record?.expiresAt).toEqual(new Date((seconds + 600) * 1_000))
  expect(source.capabilities).toMatchObject({ canRelease: false, canComplete: false, canFail: false })
  expect(await source.readLeases({ limit: 10 })).toMatchObject({ leases: [], truncated: false })
  await source.close()
})

test('the policy names what is read and written, and no right to delete', () => {
  const config = { table: 'ts-table', layout: { library: 'powertools-typescript', returns: 'value' } }
  const policy = JSON.parse(sourceGrants('dynamodb', config, 'idemscope_source'))
  expect(policy.Statement.flatMap(({ Action }: { Action: string[] }) => Action)).toEqual([
    'dynamodb:DescribeTable',
    'dynamodb:GetItem',
    'dynamodb:BatchGetItem',
    'dynamodb:Scan',
    'dynamodb:UpdateItem',
  ])
  expect(policy.Statement[2].Condition['ForAllValues:StringEquals']['dynamodb:Attributes']).toEqual([
    'id',
    'status',
    'in_progress_expiration',
    'expiration',
    'validation',
    'data',
  ])
  const recipe = { table: 'recipe-table', layout: { library: 'guide-recipe' } }
  expect(sourceGrants('dynamodb', recipe, 'idemscope_source')).not.toContain('UpdateItem')
})

test.each([
  ['a table that is not there', {}, 'no-such-table', /no such table/],
  ['a key that is a number', {}, 'numbers', /The key n of numbers is no text/],
  ['nobody at the endpoint', { endpoint: 'http://127.0.0.1:9' }, 'ts-table', /cannot be reached/],
])('%s: says so', async (_, over, table, message) => {
  await expect(detect({ ...tables.secret, ...over, table })).rejects.toMatchObject({
    code: 'unprocessable',
    message: expect.stringMatching(message),
  })
})

test.each([
  ['AccessDeniedException', 'permission', /lacks a permission/],
  ['UnrecognizedClientException', 'credentials', /refuses the credentials/],
  ['ResourceNotFoundException', 'schema_changed', /no such table/],
])('%s is told apart', async (name, fault, message) => {
  const source = tables.open({ table: 'ts-table', layout: { library: 'powertools-typescript' } })
  const body = { __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'so it is' }
  tables.breakNext('GetItem', { status: 400, body })
  await expect(source.readKey('pay/* /', 'x')).rejects.toMatchObject({
    fault,
    refused: true,
    message: expect.stringMatching(message),
  })
  await source.close()
})

test('no answer is slow; of a write nobody knows then whether it was done', async () => {
  const config = {
    table: 'ts-table',
    layout: { library: 'powertools-typescript' as const },
    requestTimeoutMs: 300,
  }
  const hurried = tables.open(config)
  const patient = tables.open({ ...config, requestTimeoutMs: 60_000 })
  const [lease] = (await patient.readLeases({ limit: 1 })).leases
  tables.breakNext('GetItem', 'hang')
  await expect(hurried.readKey('pay/* /', 'x')).rejects.toMatchObject({ fault: 'slow', refused: false })
  await tables.set('ts-table', { id: { S: `pay#${lease?.key}` } }, 'in_progress_expiration', { N: '1000' })
  const { seen } = await leaseOf(patient, lease?.scope ?? '', lease?.key ?? '')
  const pending = tables.open({ ...config, requestTimeoutMs: 5_000 })
  tables.breakNext('UpdateItem', 'hang')
  await expect(pending.release(seen, { actionId: 'act_1', graceMs: 0 })).rejects.toMatchObject({
    fault: 'slow',
    refused: false,
  })
  await Promise.all([hurried, patient, pending].map((source) => source.close()))
})

test.each([
  [{ region: 'eu-west-1', accessKeyId: 'AKIA' }, /access key has two parts/],
  [{ region: 'https://eu' }, /name of a region/],
  [{ region: 'eu-west-1', endpoint: 'http://internal.example' }, /https, or http on this machine/],
])('a bad address is refused by name: %j', async (secret, message) => {
  await expect(detect(secret)).rejects.toThrow(message)
})

test('connected, its access key is sealed and in no audit entry', async () => {
  const database = await createTestDatabase()
  const ctx = {
    db: database.db,
    clock: systemClock,
    log: silentLog,
    queue: noQueue,
    requestId: 'req_1',
    actor: admin,
  }
  const secret = { ...tables.secret, secretAccessKey: 'hidden-word' }
  const config = { table: 'ts-table', layout: { library: 'powertools-typescript' } }
  const source = { adapter: 'dynamodb' as const, name: 'functions', system: 'orders', config, secret }
  const options = { credentialsKey: 'a'.repeat(64), demo: false }
  const { id } = await connectSource(ctx, { ...source, reason: 'the functions go live' }, options)
  const row = await database.db.prisma.source.findUniqueOrThrow({ where: { id } })
  expect(row).toMatchObject({ adapter: 'dynamodb', kind: 'intent' })
  const audit = (await database.db.prisma.auditEntry.findMany()).map(({ after }) => after)
  const kept = JSON.stringify([row.config, ...audit])
  expect(kept + Buffer.from(row.secret ?? []).toString('latin1')).not.toContain('hidden-word')
  await database.close()
})

import { randomBytes } from 'node:crypto'
import { DeleteItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { IdempotencyOptionsError } from '@/sdk/errors'
import { idempotent } from '@/sdk/idempotent'
import { partitionOf } from '@/sdk/stores/dynamodb/layout'
import { beginning, committed } from '../conformance/harness'
import { acquireRequest, holderOf, KEY_SECRET, okResponse, postJson } from '../support'
import { createDynamoFixture, type DynamoFixture } from './fixture'

let fixture: DynamoFixture
beforeAll(async () => {
  fixture = await createDynamoFixture({ largeResponses: true })
})
afterAll(() => fixture.close())

async function store(key: string, body: Uint8Array) {
  const request = acquireRequest(key)
  const holder = holderOf(request, await fixture.store.acquire(request))
  await fixture.store.complete(holder, { status: 200, headers: [], body })
  return { request, holder, item: await fixture.item(request) }
}

it('above 1 KB a body is compressed, unless that makes it larger', async () => {
  const json = Buffer.from(JSON.stringify(Array.from({ length: 500 }, (_, at) => ({ at, state: 'paid' }))))
  const compressed = (await store('json', json)).item
  expect([compressed?.b?.B?.byteLength ?? 0, Number(compressed?.z?.N)]).toEqual([
    expect.any(Number),
    json.length,
  ])
  expect(compressed?.b?.B?.byteLength).toBeLessThan(json.length / 4)
  for (const [key, body] of [
    ['random', randomBytes(20_000)],
    ['small', Buffer.alloc(1_024, 'a')],
  ] as const) {
    const { item } = await store(key, body)
    expect([item?.b?.B?.byteLength, item?.z]).toEqual([body.length, undefined])
  }
})

it('above 350 KB it is in parts of its holder’s fence, that end with the record', async () => {
  const body = randomBytes(1_000_000)
  const { request, holder, item } = await store('parts', body)
  expect([item?.b, item?.m?.N]).toEqual([undefined, '3'])
  const replay = await fixture.store.acquire(request)
  expect(replay.kind === 'replay' && Buffer.from(replay.body).equals(body)).toBe(true)
  const written = fixture.line.seen
    .filter(({ operation }) => operation === 'UpdateItem')
    .map(({ body: sent }) => sent as { Key: { sk: { S: string } }; ExpressionAttributeValues: object })
    .filter(({ Key }) => Key.sk.S.startsWith('b#'))
  expect(written.map(({ Key }) => Key.sk.S).sort()).toEqual(
    [0, 1, 2].map((part) => `b#${holder.fence}#${part}`),
  )
  for (const { ExpressionAttributeValues: values } of written)
    expect(Object.values(values)).toContainEqual(item?.ttl)
})

it.each(['lost', 'changed'])('a part that was %s is an error, never another answer', async (how) => {
  const { request, holder } = await store(`part-${how}`, randomBytes(500_000))
  const target = {
    TableName: fixture.tableName,
    Key: { pk: { S: partitionOf(request) }, sk: { S: `b#${holder.fence}#1` } },
  }
  const command =
    how === 'lost'
      ? new DeleteItemCommand(target)
      : new UpdateItemCommand({
          ...target,
          UpdateExpression: 'SET b = :b',
          ExpressionAttributeValues: { ':b': { B: randomBytes(150_000) } },
        })
  await fixture.line.client.send(command as never)
  await expect(fixture.store.acquire(request)).rejects.toThrow('is damaged')
})

it('a holder that died between parts and completion leaves nothing that is read', async () => {
  const request = acquireRequest('died')
  const holder = holderOf(request, await fixture.store.acquire(request))
  // Stale before it completes: its parts are there, its record is not.
  await fixture.change(request, 'SET s = :r, f = f + :more', { ':r': { S: 'R' }, ':more': { N: '1' } })
  expect(await fixture.store.complete(holder, { ...okResponse(), body: randomBytes(500_000) })).toBe('stale')
  const next = holderOf(request, await fixture.store.acquire(request))
  const body = randomBytes(400_000)
  await fixture.store.complete(next, { ...okResponse(), body })
  const replay = await fixture.store.acquire(request)
  expect(replay.kind === 'replay' && Buffer.from(replay.body).equals(body)).toBe(true)
})

it('steps that leave no room for the answer lose their results, not the answer', async () => {
  const request = acquireRequest('steps')
  const holder = holderOf(request, await fixture.store.acquire(request))
  for (const step of ['one', 'two', 'three']) {
    await fixture.store.beginEffect(holder, beginning({ step }))
    const result = { text: 'x'.repeat(50_000) }
    await fixture.store.settleEffect(holder, step, { ...committed(), result })
  }
  await fixture.store.checkpoint(holder, 'point', 'y'.repeat(50_000))
  const body = randomBytes(300_000)
  expect(await fixture.store.complete(holder, { ...okResponse(), body })).not.toBe('stale')
  const replay = await fixture.store.acquire(request)
  expect(replay.kind === 'replay' && Buffer.from(replay.body).equals(body)).toBe(true)
  const steps = (await fixture.item(request))?.steps?.M ?? {}
  expect(Object.keys(steps).sort()).toEqual(['one', 'three', 'two'])
  expect(steps.one?.M).toMatchObject({ r: { S: 'ch_1' }, m: { N: '1050' }, s: { S: 'C' } })
  expect(steps.one?.M?.d).toBeUndefined()
})

it('without largeResponses, what is above 256 KiB is refused before it is lost', async () => {
  const store = fixture.openStore({ largeResponses: false })
  const options = { store, keySecret: KEY_SECRET, scope: () => ({ caller: 'web', route: '/v1/payments' }) }
  expect(() => idempotent(() => new Response(), { ...options, responseBytesMax: 300_000 })).toThrow(
    IdempotencyOptionsError,
  )
  const sized = (bytes: number) => idempotent(() => new Response(new Uint8Array(bytes)), options)
  const post = (key: string) => postJson({}, { 'idempotency-key': key })
  expect((await sized(262_144)(post('as-large-as-may-be'))).status).toBe(200)
  await expect(sized(262_145)(post('too-large'))).rejects.toThrow('responseBytesMax (262144)')
})

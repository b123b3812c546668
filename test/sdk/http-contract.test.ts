import type { PoolClient } from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { StoreUnavailableError } from '@/sdk/errors'
import type { IdempotentHandler } from '@/sdk/idempotent'
import type { PostgresStore } from '@/sdk/stores/postgres'
import { createGate, createStoreFixture, idempotentOn, postJson, type StoreFixture } from './support'

let fixture: StoreFixture
let serial = 0
const newKey = () => `key-${++serial}`

beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

const wrap = idempotentOn(() => fixture)

const created = (body: unknown = { id: 1 }) =>
  Response.json(body, { status: 201, headers: { 'set-cookie': 'a=b', location: '/x' } })

describe('the key header', () => {
  it.each([
    ['missing', undefined, 400, 'Idempotency-Key is missing'],
    ['empty', '', 400, 'Idempotency-Key is missing'],
    ['empty string', '""', 400, 'Idempotency-Key is malformed'],
    ['unclosed quote', '"abc', 400, 'Idempotency-Key is malformed'],
    ['two values', '"a", "b"', 400, 'Idempotency-Key is malformed'],
    ['bare with space', 'a b', 400, 'Idempotency-Key is malformed'],
    ['bad escape', '"a\\n"', 400, 'Idempotency-Key is malformed'],
    ['256 bytes', `"${'k'.repeat(256)}"`, 400, 'Idempotency-Key is malformed'],
    ['not ASCII', '"k\u00e9y"', 400, 'Idempotency-Key is malformed'],
  ])('%s is refused', async (_, header, status, title) => {
    let calls = 0
    const handle = wrap(() => {
      calls += 1
      return created()
    })
    const response = await handle(postJson({}, header === undefined ? {} : { 'idempotency-key': header }))
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toMatchObject({ title, status })
    expect(calls).toBe(0)
  })

  it.each([
    ['quoted', '"q-1"', 'q-1'],
    ['bare', 'b-1', 'b-1'],
    ['escaped', '"e\\"1\\\\"', 'e"1\\'],
    ['with a parameter', '"p-1";v=1', 'p-1'],
    ['255 bytes', `"${'k'.repeat(255)}"`, 'k'.repeat(255)],
    ['16 bytes', '"0123456789abcdef"', '0123456789abcdef'],
    ['a UUID', '"8e03978e-40d5-43dd-bc93-6894a57f9324"', '8e03978e-40d5-43dd-bc93-6894a57f9324'],
    ['a UUID in capitals', '"8E03978E-40D5-43DD-BC93-6894A57F9324"', '8E03978E-40D5-43DD-BC93-6894A57F9324'],
  ])('%s is accepted and stored unquoted', async (_, header, key) => {
    const handle = wrap((_request, context) => created({ key: context.key }))
    const response = await handle(postJson({}, { 'idempotency-key': header }))
    expect(await response.json()).toEqual({ key })
    const rows = await fixture.query(
      'SELECT idem_key_text(key) AS key FROM idem_record WHERE key = idem_key_bytes($1)',
      [key],
    )
    expect(rows).toEqual([{ key }])
  })

  it('is not needed where it is not required, nor for safe methods', async () => {
    const handle = wrap((_request, context) => created({ key: context.key, fence: context.fence }), {
      required: false,
    })
    expect(await (await handle(postJson({}))).json()).toEqual({ key: null, fence: null })
    const strict = wrap(() => created())
    expect((await strict(new Request('http://service.test/v1/payments'))).status).toBe(201)
  })
})

describe('a duplicate', () => {
  it.each([201, 204, 302, 402, 404, 500])('replays a stored %i with its allowed headers', async (status) => {
    let calls = 0
    const handle = wrap(() => {
      calls += 1
      const headers = { location: '/there', 'set-cookie': 'secret=1', 'content-type': 'text/plain' }
      return new Response(status === 204 ? null : `body ${status}`, { status, headers })
    })
    const key = newKey()
    const first = await handle(postJson({ a: 1 }, { 'idempotency-key': key }))
    const second = await handle(postJson({ a: 1 }, { 'idempotency-key': key }))
    expect(first.headers.get('idempotent-replayed')).toBeNull()
    expect(first.headers.get('set-cookie')).toBe('secret=1')
    expect(second.headers.get('idempotent-replayed')).toBe('true')
    expect(second.headers.get('set-cookie')).toBeNull()
    expect(second.headers.get('location')).toBe('/there')
    expect([second.status, await second.text()]).toEqual([first.status, await first.text()])
    expect(calls).toBe(1)
    const [record] = await fixture.query<{ state: string }>(
      'SELECT state FROM idem_record WHERE key = idem_key_bytes($1)',
      [key],
    )
    expect(record?.state).toBe(status >= 400 ? 'F' : 'C')
  })

  it.each([
    ['another body', { a: 2 }, '/v1/payments', 422],
    ['another path', { a: 1 }, '/v1/refunds', 422],
    ['another query', { a: 1 }, '/v1/payments?x=1', 422],
    ['the same meaning', { b: [1, { d: 2, c: 3 }], a: 1 }, '/v1/payments', 422],
  ])('with %s is a mismatch', async (_, body, path, status) => {
    const handle = wrap(() => created())
    const key = newKey()
    await handle(postJson({ a: 1 }, { 'idempotency-key': key }))
    const response = await handle(postJson(body, { 'idempotency-key': key }, path))
    expect(response.status).toBe(status)
    expect(await response.json()).toMatchObject({ title: 'Idempotency-Key is already used' })
  })

  it('is the same when its JSON means the same, and keeps binary bodies apart by their bytes', async () => {
    const handle = wrap(async (request) => new Response(await request.arrayBuffer()))
    const key = newKey()
    const send = (body: string | Uint8Array<ArrayBuffer>, type: string) =>
      handle(
        new Request('http://service.test/', {
          method: 'POST',
          body,
          headers: { 'content-type': type, 'idempotency-key': key },
        }),
      )
    await send('{"a":1.0, "b":{"x":1,"y":"\\u0041"}}', 'application/json')
    const same = await send('{"b":{"y":"A","x":1},"a":1}', 'application/json; charset=utf-8')
    expect(same.headers.get('idempotent-replayed')).toBe('true')
    expect((await send(Uint8Array.of(0, 255, 7), 'application/octet-stream')).status).toBe(422)
  })

  it('gets 409 with Retry-After while the first runs, also with another payload 422, and waits where told to', async () => {
    const key = newKey()
    const gate = createGate<void>()
    const begun = createGate<void>()
    const handler: IdempotentHandler<PoolClient> = async () => {
      begun.resolve()
      await gate.promise
      return created()
    }
    const first = wrap(handler)(postJson({}, { 'idempotency-key': key }))
    await begun.promise
    const second = await wrap(handler)(postJson({}, { 'idempotency-key': key }))
    expect([second.status, second.headers.get('retry-after')]).toEqual([409, '1'])
    expect(await second.json()).toMatchObject({ title: 'A request is outstanding for this Idempotency-Key' })
    expect((await wrap(handler)(postJson({ other: 1 }, { 'idempotency-key': key }))).status).toBe(422)
    const waiting = wrap(handler, { waitMs: 10_000 })(postJson({}, { 'idempotency-key': key }))
    gate.resolve()
    expect((await first).status).toBe(201)
    expect((await waiting).headers.get('idempotent-replayed')).toBe('true')
  })
})

describe('limits and store trouble', () => {
  it('refuses a body over the cap, declared or not', async () => {
    const handle = wrap(() => created(), { bodyBytesMax: 10 })
    const key = newKey()
    expect((await handle(postJson({ long: 'x'.repeat(50) }, { 'idempotency-key': key }))).status).toBe(413)
    const stream = new Blob(['x'.repeat(50)]).stream()
    const init = { method: 'POST', body: stream, duplex: 'half', headers: { 'idempotency-key': key } }
    expect((await handle(new Request('http://service.test/', init))).status).toBe(413)
  })

  const broken = (): PostgresStore => ({
    ...fixture.store,
    acquire: async () => {
      throw new StoreUnavailableError('down')
    },
  })

  it('fails closed by default', async () => {
    const response = await wrap(() => created(), { store: broken() })(
      postJson({}, { 'idempotency-key': newKey() }),
    )
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '1'])
  })

  it('fails open where configured, with the same provider key', async () => {
    const key = newKey()
    const keys: string[] = []
    const handler: IdempotentHandler<PoolClient> = async (_request, context) => {
      await context.effect('charge', { name: 'stripe.charge' }, async ({ idempotencyKey }) => {
        keys.push(idempotencyKey)
        return { reference: 'ch' }
      })
      return created(context.fence === null)
    }
    const open = await wrap(handler, { store: broken(), failMode: 'open' })(
      postJson({}, { 'idempotency-key': key }),
    )
    expect(await open.json()).toBe(true)
    await wrap(handler)(postJson({}, { 'idempotency-key': key }))
    expect(new Set(keys).size).toBe(1)
  })

  it('names every fault of its options', () => {
    const make = () =>
      wrap(() => created(), { keySecret: 'short', leaseMs: 5, tier: 'No', failMode: 'ajar' as 'open' })
    expect(make).toThrow(/keySecret.*tier.*leaseMs.*failMode/)
  })
})

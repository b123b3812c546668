import { brotliCompressSync, gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import type { IdempotentOptions } from '@/sdk/idempotent'
import { deriveKey } from '@/sdk/keys/content-key'
import { createStoreFixture, idempotentOn, postJson, type StoreFixture } from '../support'

let fixture: StoreFixture
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

let caller = 0
/** A route of a caller of its own, that answers with what it was given. */
function setUp(options: Pick<IdempotentOptions, 'keyFrom' | 'required'>) {
  const scope = { caller: `caller-${++caller}`, route: '/v1/events' }
  const seen: unknown[] = []
  const serve = wrap(
    async (request) => {
      seen.push(await request.json().catch(() => null))
      return Response.json({ at: seen.length }, { status: 201 })
    },
    { ...options, scope: () => scope },
  )
  const send = async (body: unknown, headers: Record<string, string> = {}, path?: string) => {
    const response = await serve(postJson(body, headers, path))
    const { status } = response
    return [status, await response.json(), response.headers.has('idempotent-replayed')]
  }
  return { send, seen, serve, scope }
}

describe("keyFrom: 'content'", () => {
  it('takes the same document for the same operation, however it is written', async () => {
    const { send, seen } = setUp({ keyFrom: 'content' })
    expect(await send({ entry: 'e1', amount: 10 })).toEqual([201, { at: 1 }, false])
    expect(await send({ amount: 10, entry: 'e1' })).toEqual([201, { at: 1 }, true])
    expect(await send({ entry: 'e1', amount: 11 })).toEqual([201, { at: 2 }, false])
    expect(seen).toHaveLength(2)
  })

  it('leaves a header of the client out of it', async () => {
    const { send } = setUp({ keyFrom: 'content' })
    await send({ a: 1 }, { 'idempotency-key': 'one' })
    expect(await send({ a: 1 }, { 'idempotency-key': 'two' })).toEqual([201, { at: 1 }, true])
  })

  it('keeps paths, queries and callers apart', async () => {
    const one = setUp({ keyFrom: 'content' })
    expect(await one.send({ a: 1 })).toEqual([201, { at: 1 }, false])
    expect(await one.send({ a: 1 }, {}, '/v1/payments?x=1')).toEqual([201, { at: 2 }, false])
    expect(await setUp({ keyFrom: 'content' }).send({ a: 1 })).toEqual([201, { at: 1 }, false])
  })

  it('refuses what has no content', async () => {
    const { serve, seen, scope } = setUp({ keyFrom: 'content' })
    const empty = await serve(new Request('http://service.test/v1/events', { method: 'POST' }))
    expect([empty.status, await empty.json()]).toEqual([
      400,
      expect.objectContaining({ type: 'urn:idemscope:problem:key-missing' }),
    ])
    expect([seen, scope.route]).toEqual([[], '/v1/events'])
  })

  it('takes a document that was compressed again for the same', async () => {
    const { serve, seen } = setUp({ keyFrom: 'content' })
    const post = async (body: Uint8Array<ArrayBuffer>, coding: string) => {
      const headers = { 'content-type': 'application/json', 'content-encoding': coding }
      const answer = await serve(
        new Request('http://service.test/v1/events', { method: 'POST', headers, body }),
      )
      return [answer.status, answer.headers.has('idempotent-replayed')]
    }
    const document = JSON.stringify({ entry: 'e1', filler: 'x'.repeat(500) })
    const first = Uint8Array.from(gzipSync(document))
    // The time at which it was compressed is in the head of gzip: a retry's is another.
    const again = Uint8Array.from(first).fill(7, 4, 8)
    expect(await post(first, 'gzip')).toEqual([201, false])
    expect(await post(again, 'gzip')).toEqual([201, true])
    expect(await post(Uint8Array.from(brotliCompressSync(document)), 'br')).toEqual([201, true])
    expect(await post(Uint8Array.from(brotliCompressSync(first)), 'gzip, br')).toEqual([201, true])
    expect(await post(Uint8Array.from(Buffer.from(document)), 'identity')).toEqual([201, true])
    // What cannot be read names nothing; what would not fit is not read.
    expect(await post(first.slice(0, 20), 'gzip')).toEqual([400, false])
    expect(await post(first, 'x-own')).toEqual([400, false])
    expect(await post(Uint8Array.from(gzipSync(Buffer.alloc(2_000_000))), 'gzip')).toEqual([413, false])
    expect(seen).toHaveLength(1)
  })

  it('makes of ten deliveries at once one', async () => {
    const { send, seen } = setUp({ keyFrom: 'content' })
    const answers = await Promise.all(Array.from({ length: 10 }, () => send({ a: 1 })))
    for (const [status] of answers) expect([201, 409]).toContain(status)
    expect(seen).toEqual([{ a: 1 }])
  })
})

describe('keyFrom: what names the operation', () => {
  const byEvent: IdempotentOptions['keyFrom'] = async (request) => {
    const { id, account } = await request.json()
    if (account === 'closed') return new Response('closed', { status: 410 })
    return typeof id === 'string' ? [account ?? 'main', id] : null
  }

  it('is compared by that alone, and leaves the body to the handler', async () => {
    const { send, seen } = setUp({ keyFrom: byEvent })
    // Providers send an event again with other counters in it.
    expect(await send({ id: 'evt_1', pending_webhooks: 2 })).toEqual([201, { at: 1 }, false])
    expect(await send({ id: 'evt_1', pending_webhooks: 1 })).toEqual([201, { at: 1 }, true])
    expect(await send({ id: 'evt_2' })).toEqual([201, { at: 2 }, false])
    expect(seen).toEqual([{ id: 'evt_1', pending_webhooks: 2 }, { id: 'evt_2' }])
  })

  it('may answer itself, and refuses what it finds no name in', async () => {
    const { send, serve, seen } = setUp({ keyFrom: byEvent })
    expect((await serve(postJson({ account: 'closed' }))).status).toBe(410)
    expect((await send({}))[0]).toBe(400)
    const optional = setUp({ keyFrom: byEvent, required: false })
    expect([await optional.send({}), await optional.send({})]).toEqual([
      [201, { at: 1 }, false],
      [201, { at: 2 }, false],
    ])
    expect(seen).toEqual([])
  })

  it.each([[[]], [['']], [[1.5]], [[new Date(0)]], [[undefined]], ['evt_1'], [[Number.NaN]]])(
    'takes no %j for a name',
    async (parts) => {
      const { serve, seen } = setUp({ keyFrom: () => parts as never })
      await expect(serve(postJson({}))).rejects.toThrow(/keyFrom must give an array.*never a time/)
      expect(seen).toEqual([])
    },
  )
})

test('a name is not confused with another', async () => {
  const request = postJson({})
  const keyOf = async (...parts: (string | number | bigint)[]) => {
    const derived = await deriveKey(() => parts, 'scope', request, new Uint8Array(), 1_000)
    return derived !== null && 'key' in derived ? derived.key : null
  }
  const keys = [
    await keyOf('a', 'b'),
    await keyOf('ab'),
    await keyOf('b', 'a'),
    await keyOf(1),
    await keyOf('1'),
  ]
  expect(new Set(keys).size).toBe(keys.length)
  expect(await keyOf(1n)).toBe(await keyOf(1))
  // Written into records: another one would execute what was done again.
  expect(await keyOf('evt_1')).toBe('9onDFthLqRtCANhN-xdseckTcOIhFCOR9p27nCUwLLU')
})

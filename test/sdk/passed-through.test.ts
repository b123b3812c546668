import { createServer, request as httpRequest, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { brotliCompressSync, deflateRawSync, deflateSync, gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { toNodeHandler } from '@/sdk/node'
import { createStoreFixture, idempotentOn, postJson, type StoreFixture } from './support'

let fixture: StoreFixture
const servers: Server[] = []
let serial = 0
const newKey = () => `key-${++serial}`
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())
afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const TEXT = JSON.stringify({ id: 'ch_1', note: 'a'.repeat(200) })
const SHORT = '{"id":1}'

const CODINGS: [coding: string, encode: (text: string) => Buffer][] = [
  ['gzip', gzipSync],
  ['deflate', deflateSync],
  ['br', brotliCompressSync],
]

/** An upstream service that compresses what it answers. */
const upstream = (coding: string, body: Buffer, status = 201) =>
  listen((_incoming, outgoing) => {
    outgoing.writeHead(status, {
      'content-type': 'application/json',
      'content-encoding': coding,
      'content-length': body.byteLength,
    })
    outgoing.end(body)
  })

const rebuilt = (response: Response) =>
  new Response(response.body, { status: response.status, headers: response.headers })

type Serve = (
  handler: () => Promise<Response> | Response,
) => Promise<(key: string | null) => Promise<Response>>

const inWeb: Serve = async (handler) => {
  const handle = wrap(handler, { required: false })
  return (key) => handle(postJson({}, key === null ? {} : { 'idempotency-key': key }))
}
const inNode: Serve = async (handler) => {
  const url = await listen(toNodeHandler(wrap(handler, { required: false })))
  return (key) => fetch(url, { method: 'POST', headers: key === null ? {} : { 'idempotency-key': key } })
}

/** What a client reads: fetch over HTTP inflates by itself, a Response in hand is as it would be sent. */
async function read(response: Response): Promise<string> {
  const bytes = Buffer.from(await response.arrayBuffer())
  return response.url === '' && response.headers.get('content-encoding') === 'gzip'
    ? gunzipSync(bytes).toString()
    : bytes.toString()
}

describe.each([
  ['Web', inWeb],
  ['node:http', inNode],
])('an answer of an upstream service, %s', (_, serve) => {
  describe.each(CODINGS)('compressed with %s', (coding, encode) => {
    it.each([
      ['as it came', TEXT, (response: Response) => response],
      ['as it came, short', SHORT, (response: Response) => response],
      ['in a response of its own', TEXT, rebuilt],
      ['in a response of its own, short', SHORT, rebuilt],
    ])('is readable first and replayed: %s', async (_, text, pass) => {
      const url = await upstream(coding, encode(text))
      const send = await serve(async () => pass(await fetch(url)))
      const key = newKey()
      const first = await send(key)
      expect([first.status, await read(first)]).toEqual([201, text])
      const replay = await send(key)
      expect([replay.headers.get('idempotent-replayed'), await read(replay)]).toEqual(['true', text])
      expect(replay.headers.get('content-type')).toBe('application/json')
    })

    it('is readable where nothing is stored: unkeyed, or refused', async () => {
      const unkeyed = await serve(async () => fetch(await upstream(coding, encode(SHORT))))
      expect(await read(await unkeyed(null))).toBe(SHORT)
      const refused = await serve(async () => fetch(await upstream(coding, encode(TEXT), 400)))
      const answer = await refused(newKey())
      expect([answer.status, await read(answer)]).toEqual([400, TEXT])
    })
  })

  it('in a response of its own is readable unkeyed', async () => {
    const send = await serve(async () => rebuilt(await fetch(await upstream('gzip', gzipSync(TEXT)))))
    expect(await read(await send(null))).toBe(TEXT)
  })

  it('that the handler compressed itself stays compressed', async () => {
    const headers = { 'content-encoding': 'gzip' }
    const send = await serve(() => new Response(Uint8Array.from(gzipSync(TEXT)), { headers }))
    const key = newKey()
    for (const asked of [key, key, null]) {
      const answer = await send(asked)
      expect([answer.headers.get('content-encoding'), await read(answer)]).toEqual(['gzip', TEXT])
    }
  })

  it('keeps cookies apart on the first answer, and no header of the connection that it came by', async () => {
    const url = await listen((_incoming, outgoing) => {
      outgoing.setHeader('set-cookie', ['a=1', 'b=2'])
      outgoing.setHeader('connection', 'keep-alive, x-hop')
      outgoing.setHeader('keep-alive', 'timeout=99')
      outgoing.setHeader('x-hop', '1')
      outgoing.setHeader('x-end', '1')
      outgoing.write('in two ')
      outgoing.end('pieces')
    })
    const send = await serve(() => fetch(url))
    for (const key of [newKey(), null]) {
      const answer = await send(key)
      expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
      expect([answer.headers.get('x-hop'), answer.headers.get('x-end')]).toEqual([null, '1'])
      expect(answer.headers.get('keep-alive')).not.toBe('timeout=99')
      expect(await answer.text()).toBe('in two pieces')
    }
  })

  it.each([204, 304])('with %i has no body', async (status) => {
    const url = await listen((_incoming, outgoing) => outgoing.writeHead(status, { etag: '"1"' }).end())
    const send = await serve(() => fetch(url))
    const key = newKey()
    for (const asked of [key, key, null]) {
      const answer = await send(asked)
      expect([answer.status, await answer.text()]).toEqual([status, ''])
    }
  })
})

it('keeps a coding that nobody here can read, and raw deflate', async () => {
  const serve = async (coding: string, body: Uint8Array<ArrayBuffer>) =>
    (await inWeb(() => new Response(body, { headers: { 'content-encoding': coding } })))(newKey())
  expect((await serve('dcb', Uint8Array.of(1, 2))).headers.get('content-encoding')).toBe('dcb')
  const raw = Uint8Array.from(deflateRawSync(TEXT))
  expect((await serve('deflate', raw)).headers.get('content-encoding')).toBe('deflate')
})

it('tells a bomb by its beginning', async () => {
  const bomb = Uint8Array.from(gzipSync(Buffer.alloc(50_000_000)))
  const send = await inWeb(() => new Response(bomb, { headers: { 'content-encoding': 'gzip' } }))
  const answer = await send(newKey())
  expect(answer.headers.get('content-encoding')).toBe('gzip')
  expect((await answer.arrayBuffer()).byteLength).toBe(bomb.byteLength)
})

it('answers HEAD without the body, and lets go of it', async () => {
  let cancelled = false
  const body = new ReadableStream({
    cancel() {
      cancelled = true
    },
  })
  const url = await listen(toNodeHandler(() => new Response(body, { headers: { 'content-length': '5' } })))
  const head = await new Promise<string | undefined>((resolve, reject) => {
    const call = httpRequest(url, { method: 'HEAD' }, (response) => {
      response.resume().on('end', () => resolve(response.headers['content-length']))
    })
    call.on('error', reject).end()
  })
  expect([head, cancelled]).toEqual(['5', true])
})

describe('what is no answer is a usage error, and never an empty one', () => {
  const used = async () => {
    const response = new Response('paid')
    await response.text()
    return response
  }
  const locked = () => {
    const response = new Response('paid')
    response.body?.getReader()
    return response
  }
  const ofText = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue('paid')
          controller.close()
        },
      }),
    )

  it.each([
    ['a body that was read', used, 'IdempotencyUsageError'],
    ['a body that somebody reads', locked, 'IdempotencyUsageError'],
    ['nothing', () => undefined as unknown as Response, 'IdempotencyUsageError'],
    ['an object', () => ({ status: 200 }) as Response, 'IdempotencyUsageError'],
  ])('%s', async (_, handler, name) => {
    for (const key of [newKey(), null]) {
      const send = await inWeb(handler)
      await expect(send(key)).rejects.toMatchObject({ name })
    }
  })

  it('a stream that is not of bytes', async () => {
    await expect((await inWeb(ofText))(newKey())).rejects.toThrow('stream of bytes')
  })
})

describe('a request whose body cannot be seen is a usage error, and nothing is executed', () => {
  it.each<[string, (request: Request) => unknown]>([
    ['was read', (request) => request.text()],
    ['is being read', (request) => request.body?.getReader()],
  ])('it %s', async (_, before) => {
    let executed = false
    const handle = wrap(
      () => {
        executed = true
        return new Response('done')
      },
      {
        async scope(request) {
          await before(request)
          return { caller: 'web', route: '/v1/payments' }
        },
      },
    )
    await expect(handle(postJson({}, { 'idempotency-key': newKey() }))).rejects.toThrow('request.clone()')
    expect(executed).toBe(false)
  })

  it('it has a length and no body', async () => {
    const headers = { 'idempotency-key': newKey(), 'content-length': '7' }
    const request = new Request('http://service.test/', { method: 'POST', headers })
    await expect(wrap(() => new Response('done'))(request)).rejects.toThrow('is missing')
  })
})

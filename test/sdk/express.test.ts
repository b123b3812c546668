import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import express5 from 'express'
import express4 from 'express4'
import multer from 'multer'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { keepRawBody, toNodeHandler } from '@/sdk/node'
import { createStoreFixture, idempotentOn, type StoreFixture } from './support'

let fixture: StoreFixture
let server: Server | undefined
let serial = 0
const wrap = idempotentOn(() => fixture)

beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())
afterEach(() => new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined))))

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'

type Sent = {
  type?: string
  body: string | Uint8Array<ArrayBuffer> | FormData
  headers?: Record<string, string>
}

const packages: [string, typeof express5][] = [
  ['Express 4', express4],
  ['Express 5', express5],
]

describe.each(packages)('%s', (_, express) => {
  type Parser = ReturnType<typeof express.json>

  /** An app that parses first, and a handler that answers with what it was given. */
  async function serve(...parsers: Parser[]) {
    const app = express()
    const errors: unknown[] = []
    const seen: string[] = []
    const handle = wrap(async (request) => {
      const text = Buffer.from(await request.arrayBuffer()).toString('latin1')
      const { pathname } = new URL(request.url)
      seen.push(text)
      return Response.json({ text, pathname, type: request.headers.get('content-type') }, { status: 201 })
    })
    for (const parser of parsers) app.use(parser)
    app.use('/v1/payments', toNodeHandler(handle, { onError: (error) => errors.push(error) }))
    server = createServer(app as unknown as RequestListener)
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo

    const send = async (key: string, { type, body, headers = {} }: Sent) => {
      const typed = type === undefined ? {} : { 'content-type': type }
      const response = await fetch(`http://127.0.0.1:${port}/v1/payments`, {
        method: 'POST',
        body,
        headers: { 'idempotency-key': key, ...typed, ...headers },
      })
      const answer = (await response.json()) as {
        text: string
        pathname: string
        type: string
        detail: string
      }
      return { status: response.status, replayed: response.headers.has('idempotent-replayed'), answer }
    }
    /** Sends both under one key: are they one request? */
    const compare = async (one: Sent, other: Sent) => {
      const key = `key-${++serial}`
      const first = await send(key, one)
      expect(first.status).toBe(201)
      const second = await send(key, other)
      return second.replayed ? 'the same' : second.status === 422 ? 'another' : `status ${second.status}`
    }
    const refusal = async (sent: Sent) => {
      const { status, answer } = await send(`key-${++serial}`, sent)
      return { status, detail: answer.detail, errors, seen }
    }
    return { send, compare, refusal, seen }
  }

  const all = (): Parser[] => [
    express.json(),
    express.urlencoded({ extended: true }),
    express.text({ type: 'text/html' }),
    express.raw({ type: 'image/png' }),
  ]
  const keeping = (): Parser[] => [
    express.json({ verify: keepRawBody }),
    express.urlencoded({ extended: true, verify: keepRawBody }),
    express.text({ verify: keepRawBody }),
  ]

  it.each([
    ['text/plain', 'pay 10', 'pay 99'],
    ['application/octet-stream', 'pay 10', 'pay 99'],
    ['application/vnd.api+json', '{"pay":10}', '{"pay":99}'],
    ['multipart/form-data; boundary=b', '--b\r\n\r\n10\r\n--b--', '--b\r\n\r\n99\r\n--b--'],
  ])('what no parser reads is compared as it was sent: %s', async (type, one, other) => {
    const { compare, seen } = await serve(...all())
    expect(await compare({ type, body: one }, { type, body: other })).toBe('another')
    expect(await compare({ type, body: one }, { type, body: one })).toBe('the same')
    expect(seen).toEqual([one, one])
  })

  it('hands the path on at which the app was asked', async () => {
    const { send } = await serve()
    expect((await send('path', { type: 'text/plain', body: 'x' })).answer.pathname).toBe('/v1/payments')
  })

  it('parsed JSON is compared by its meaning', async () => {
    const { compare } = await serve(...all())
    const one = { type: JSON_TYPE, body: '{"a":1,"b":[{"c":null}]}' }
    expect(await compare(one, { ...one, body: '{ "b": [{"c":null}], "a": 1.0 }' })).toBe('the same')
    expect(await compare(one, { ...one, body: '{"a":2,"b":[{"c":null}]}' })).toBe('another')
    expect(await compare({ ...one, body: '{}' }, { ...one, body: '' })).toBe('another')
  })

  it('JSON that was parsed is the same request as JSON that was not', async () => {
    const parsed = await serve(...all())
    const sent = { type: JSON_TYPE, body: '{"a":[1,2.50]}' }
    expect((await parsed.send('both', sent)).status).toBe(201)
    await new Promise((resolve) => server?.close(resolve))
    const unparsed = await serve()
    expect((await unparsed.send('both', { ...sent, body: '{ "a": [1, 2.5] }' })).replayed).toBe(true)
  })

  it.each([
    '{"a":1e400}',
    '{"a":9007199254740993}',
    '{"a":"\\ufffd"}',
    Uint8Array.from(Buffer.from('"\xe9"', 'latin1')),
  ])('JSON of which the parser lost something is refused: %s', async (body) => {
    const { refusal } = await serve(express.json({ strict: false }))
    const { status, detail, seen } = await refusal({ type: JSON_TYPE, body })
    expect([status, seen]).toEqual([500, []])
    expect(detail).toContain('verify: keepRawBody')
  })

  it('JSON in another UTF is given on in UTF-8, and says so', async () => {
    const { send } = await serve(express.json())
    const body = Uint8Array.from(Buffer.from('{"a":"é"}', 'utf16le'))
    const { answer } = await send(`key-${++serial}`, { type: `${JSON_TYPE}; charset=utf-16le`, body })
    expect([answer.text, answer.type]).toEqual([
      Buffer.from('{"a":"é"}').toString('latin1'),
      `${JSON_TYPE}; charset=utf-8`,
    ])
  })

  it('a JSON string is not taken for the document that it holds', async () => {
    const { compare, refusal } = await serve(express.json({ strict: false }))
    expect(await compare({ type: JSON_TYPE, body: '5' }, { type: JSON_TYPE, body: '6' })).toBe('another')
    expect((await refusal({ type: JSON_TYPE, body: '"5"' })).status).toBe(500)
  })

  it.each([true, false])(
    'a parsed form (extended: %s) is refused with a word on how to mount',
    async (extended) => {
      const { refusal } = await serve(express.urlencoded({ extended }))
      const { status, detail, errors, seen } = await refusal({ type: FORM_TYPE, body: 'a=1&b[c]=2' })
      expect([status, seen]).toEqual([500, []])
      expect(detail).toMatch(
        /application\/x-www-form-urlencoded.*mount the handler before.*verify: keepRawBody/,
      )
      expect(errors).toMatchObject([{ name: 'IdempotencyUsageError' }])
    },
  )

  it.each([true, false])(
    'a parsed form (extended: %s) whose bytes were kept is compared by its fields',
    async (extended) => {
      const { compare, seen } = await serve(express.urlencoded({ extended, verify: keepRawBody }))
      const form = (body: string) => ({ type: FORM_TYPE, body })
      expect(await compare(form('a=1&b=x+y'), form('b=x%20y&a=1'))).toBe('the same')
      expect(await compare(form('a=1'), form('a[]=1'))).toBe('another')
      expect(seen).toEqual(['a=1&b=x+y', 'a=1'])
    },
  )

  it('an upload that a parser consumed is refused, and nothing was executed', async () => {
    const { refusal } = await serve(multer().any())
    const body = new FormData()
    body.append('invoice', new Blob(['pdf']), 'a.pdf')
    const { status, detail, seen } = await refusal({ body })
    expect([status, seen]).toEqual([500, []])
    expect(detail).toMatch(/multipart\/form-data.*mount the handler before/)
  })

  it('an upload that nobody read is compared by its parts', async () => {
    const { compare } = await serve(...all())
    const upload = (content: string) => {
      const body = new FormData()
      body.append('invoice', new Blob([content]), 'a.pdf')
      return { body }
    }
    expect(await compare(upload('10'), upload('10'))).toBe('the same')
    expect(await compare(upload('10'), upload('99'))).toBe('another')
  })

  it('text that was read is compared as text, and says which bytes it has now', async () => {
    const { compare, send, refusal } = await serve(express.text({ type: 'text/*' }))
    const text = (body: string) => ({ type: 'text/plain', body })
    expect(await compare(text('pay 10'), text('pay 99'))).toBe('another')
    expect(await compare(text('pay 10'), text('pay 10'))).toBe('the same')
    const latin1 = {
      type: 'text/plain; charset=iso-8859-1',
      body: Uint8Array.from(Buffer.from('é', 'latin1')),
    }
    const { answer } = await send('latin1', latin1)
    expect([answer.text, answer.type]).toEqual([
      Buffer.from('é').toString('latin1'),
      'text/plain; charset=utf-8',
    ])
    expect((await refusal({ ...latin1, type: 'text/plain' })).status).toBe(500)
  })

  it('text() may read JSON too', async () => {
    const { compare } = await serve(express.text({ type: '*/*' }))
    const json = (body: string) => ({ type: JSON_TYPE, body })
    expect(await compare(json('{"a":1,"b":2}'), json('{"b":2,"a":1}'))).toBe('the same')
    expect(await compare(json('5'), json('"5"'))).toBe('another')
  })

  it('raw() keeps the bytes', async () => {
    const { compare, seen } = await serve(express.raw({ type: '*/*' }))
    const bytes = (...body: number[]) => ({ type: 'application/octet-stream', body: Uint8Array.from(body) })
    expect(await compare(bytes(0, 255), bytes(0, 254))).toBe('another')
    expect(seen).toEqual(['\x00\xff'])
  })

  it('kept bytes are compared whatever the parser made of them', async () => {
    const { compare, seen } = await serve(...keeping())
    const json = (body: string) => ({ type: JSON_TYPE, body })
    expect(await compare(json('{"a":1,"a":2}'), json('{"a":3,"a":2}'))).toBe('another')
    expect(await compare(json('{"a":1e400}'), json('{"a":2e400}'))).toBe('another')
    expect(await compare(json('{"a":1,"b":2}'), json('{"b":2,"a":1}'))).toBe('the same')
    const text = (body: string) => ({
      type: 'text/plain',
      body: Uint8Array.from(Buffer.from(body, 'latin1')),
    })
    expect(await compare(text('é'), text('è'))).toBe('another')
    expect(seen).toEqual(['{"a":1,"a":2}', '{"a":1e400}', '{"a":1,"b":2}', '\xe9'])
  })

  it('bytes kept as text are taken unless they were none', async () => {
    const asText = express.json({
      strict: false,
      verify: (incoming, _outgoing, bytes) => void Object.assign(incoming, { rawBody: bytes.toString() }),
    })
    const { compare, refusal } = await serve(asText)
    const json = (body: string) => ({ type: JSON_TYPE, body })
    expect(await compare(json('{"a":1,"a":2}'), json('{"a":3,"a":2}'))).toBe('another')
    const zipped = (text: string): Sent => ({
      type: JSON_TYPE,
      body: Uint8Array.from(gzipSync(text)),
      headers: { 'content-encoding': 'gzip' },
    })
    expect(await compare(zipped('5'), zipped('"5"'))).toBe('another')
    expect((await refusal({ type: JSON_TYPE, body: Uint8Array.of(34, 233, 34) })).status).toBe(500)
  })

  it.each([
    ['parsed', all],
    ['kept', keeping],
  ])('a body that the parser inflated is given on without its coding, %s', async (_, parsers) => {
    const { send, compare } = await serve(...parsers())
    const zipped = (level: number): Sent => ({
      type: JSON_TYPE,
      body: Uint8Array.from(gzipSync('{"a":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}', { level })),
      headers: { 'content-encoding': 'gzip' },
    })
    expect((await send(`key-${++serial}`, zipped(1))).answer.text).toContain('"aaaa')
    expect(await compare(zipped(0), zipped(9))).toBe('the same')
  })

  it('bytes that somebody else read are refused', async () => {
    const { refusal } = await serve((incoming, _outgoing, next) => {
      incoming.on('data', () => {}).on('end', () => next())
    })
    expect((await refusal({ type: JSON_TYPE, body: '{"a":1}' })).status).toBe(500)
  })

  it('what a middleware put into the body beside JSON is refused', async () => {
    const { refusal } = await serve(express.json(), (incoming, _outgoing, next) => {
      Object.assign(incoming, { body: { at: new Date(0) } })
      next()
    })
    expect((await refusal({ type: JSON_TYPE, body: '{"a":1}' })).status).toBe(500)
  })
})

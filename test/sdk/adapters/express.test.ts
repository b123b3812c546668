import { once } from 'node:events'
import {
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type ServerResponse,
} from 'node:http'
import { text as readText } from 'node:stream/consumers'
import compression from 'compression'
import express5 from 'express'
import express4 from 'express4'
import multer from 'multer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { keepRawBody, toExpressHandler } from '@/sdk/adapters/express'
import { createStoreFixture, idempotentOn, KEY_SECRET, type StoreFixture } from '../support'
import { errorBody, listen, type Served } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

/** As middleware of sessions and of security headers do it. */
function addLate(_incoming: IncomingMessage, outgoing: ServerResponse, next: () => void): void {
  const writeHead = outgoing.writeHead
  outgoing.writeHead = function (this: ServerResponse, ...head: unknown[]) {
    outgoing.setHeader('x-late', 'yes')
    return Reflect.apply(writeHead, this, head)
  } as typeof writeHead
  next()
}

function answerError(error: unknown, _incoming: IncomingMessage, outgoing: ServerResponse, _next: unknown) {
  outgoing.statusCode = 500
  outgoing.setHeader('content-type', 'application/json')
  outgoing.end(JSON.stringify(errorBody(error)))
}

for (const [name, express] of [
  ['Express 4', express4],
  ['Express 5', express5],
] as const) {
  const verify = { verify: keepRawBody }
  const parsers = {
    plain: [],
    parsed: [
      express.json(),
      express.urlencoded({ extended: true }),
      express.text(),
      express.raw(),
      multer().any(),
    ],
    kept: [express.json(verify), express.urlencoded({ extended: true, ...verify }), express.text(verify)],
  }
  describeAdapter(name, {
    start(mounting, { fixture, control }) {
      const app = express()
      app.use(compression())
      app.use(addLate)
      for (const parser of parsers[mounting]) app.use(parser)
      const handler = createPayments<IncomingMessage>(
        { store: fixture.store, keySecret: KEY_SECRET },
        control.url,
      )
      app.use('/v1/payments', toExpressHandler(handler))
      app.use(answerError)
      return listen(app as unknown as RequestListener)
    },
    bodies: { plain: {}, parsed: { form: 'refused', upload: 'refused' }, kept: {} },
    usual: 'kept',
    errors: 'handler',
    streams: true,
    compresses: true,
    addsLate: true,
  })
}

/** Sent without a length, as proxies and streams do it. */
async function postChunked(url: string, body: string, type: string, key: string) {
  const request = httpRequest(url, {
    method: 'POST',
    headers: { 'content-type': type, 'idempotency-key': key },
  })
  const answered = once(request, 'response')
  request.write(body.slice(0, 3))
  request.end(body.slice(3))
  const [response] = (await answered) as [IncomingMessage]
  return { status: response.statusCode, body: await readText(response) }
}

describe.each([
  ['Express 4', express4, 200],
  // Its parsers do not say that it was theirs: only with the bytes that they keep.
  ['Express 5', express5, 500],
] as const)('%s, where a signature was checked over the stream', (_, express, status) => {
  let fixture: StoreFixture
  let served: Served
  beforeAll(async () => {
    fixture = await createStoreFixture()
    const app = express()
    app.use('/kept', express.json({ verify: keepRawBody }))
    app.use(express.json())
    // It reads what the parser left alone, and keeps nothing; Express 4 has set a body of {} by then.
    app.use(async (incoming: IncomingMessage, _outgoing: ServerResponse, next: () => void) => {
      if (!incoming.readableDidRead) await readText(incoming)
      next()
    })
    const handler = idempotentOn(() => fixture)(async (request) => Response.json(await request.json()))
    app.use(toExpressHandler(handler as (request: Request) => Promise<Response>))
    app.use(answerError)
    served = await listen(app as unknown as RequestListener)
  })
  afterAll(async () => {
    await served.close()
    await fixture.close()
  })

  test('two payments of one key are never both {}', async () => {
    for (const body of ['{"amount":1}', '{"amount":2}'])
      expect(await postChunked(served.url, body, 'application/vnd.api+json', 'left')).toMatchObject({
        status: 500,
        body: expect.stringContaining('IdempotencyUsageError'),
      })
  })

  test('what a parser read as {} is {}, where it says so or has kept the bytes', async () => {
    const post = (path: string, key: string) =>
      postChunked(served.url + path, '{  }', 'application/json', key)
    expect(await post('/', 'empty')).toMatchObject({ status })
    expect(await post('/kept', 'kept')).toEqual({ status: 200, body: '{}' })
  })
})

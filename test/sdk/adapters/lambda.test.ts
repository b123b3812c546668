import { expect, test } from 'vitest'
import { type LambdaEvent, type LambdaExtra, toLambdaHandler } from '@/sdk/adapters/lambda'
import { KEY_SECRET } from '../support'
import { gateways } from './api-gateway'
import { listen } from './harness'
import { createPayments } from './payments'
import { describeAdapter } from './suite'

for (const [name, serveEvents] of Object.entries(gateways)) {
  describeAdapter(`Lambda, ${name}`, {
    start(_, { fixture, control }) {
      const options = { store: fixture.store, keySecret: KEY_SECRET }
      const handle = toLambdaHandler(createPayments<LambdaExtra>(options, control.url))
      return listen(serveEvents((event) => handle(event, {})))
    },
    bodies: { plain: {} },
    usual: 'plain',
    errors: 'answer',
    streams: false,
    compresses: false,
    addsLate: false,
  })
}

/** What the handler is given, and what becomes of its answer. */
async function pass(event: LambdaEvent, answer = new Response('ok')) {
  const seen: string[] = []
  const handle = toLambdaHandler(async (request: Request) => {
    seen.push(request.method, request.url, request.headers.get('cookie') ?? '', await request.text())
    return answer
  })
  return { seen, result: await handle(event, {}) }
}

test('2.0: the query as it was sent, and cookies', async () => {
  const { seen } = await pass({
    version: '2.0',
    rawPath: '/v1/a%2Fb',
    rawQueryString: 'q=1&q=%C3%A9',
    cookies: ['a=1', 'b=2'],
    headers: { host: 'api.test' },
    requestContext: { http: { method: 'PUT' } },
    body: 'eA==',
    isBase64Encoded: true,
  })
  expect(seen).toEqual(['PUT', 'https://api.test/v1/a%2Fb?q=1&q=%C3%A9', 'a=1; b=2', 'x'])
})

test('1.0: repeated parameters and headers, and the path with its stage', async () => {
  const { seen } = await pass({
    httpMethod: 'POST',
    path: '/pay',
    headers: { Host: 'api.test', 'X-Forwarded-Proto': 'http' },
    multiValueQueryStringParameters: { q: ['a b', 'c'] },
    requestContext: { path: '/prod/pay' },
    body: null,
  })
  expect(seen).toEqual(['POST', 'http://api.test/prod/pay?q=a+b&q=c', '', ''])
})

test('a load balancer: parameters stay encoded, headers come back as they came', async () => {
  const event = {
    httpMethod: 'GET',
    path: '/pay',
    headers: { host: 'lb.test' },
    queryStringParameters: { q: '%C3%A9' },
    requestContext: { elb: {} },
  }
  const { seen, result } = await pass(
    event,
    new Response(Uint8Array.of(255), {
      status: 201,
      statusText: 'Created',
      headers: { 'set-cookie': 'a=1' },
    }),
  )
  expect(seen[1]).toBe('https://lb.test/pay?q=%C3%A9')
  expect(result).toEqual({
    statusCode: 201,
    statusDescription: '201 Created',
    headers: { 'set-cookie': 'a=1' },
    body: '/w==',
    isBase64Encoded: true,
  })
})

test('a body that the gateway has made text of, and lost bytes of, is refused', async () => {
  const event = (bytes: number[]): LambdaEvent => ({
    httpMethod: 'POST',
    path: '/pay',
    headers: { 'content-type': 'application/octet-stream' },
    // As API Gateway does without binary media types: any of these bytes is the same character.
    body: Buffer.from(bytes).toString('utf8'),
    isBase64Encoded: false,
  })
  await expect(pass(event([0xff]))).rejects.toThrow(/binary media types/)
  await expect(pass(event([0xfe]))).rejects.toMatchObject({ name: 'IdempotencyUsageError' })
  expect((await pass({ ...event([]), body: 'é' })).seen.at(-1)).toBe('é')
  const encoded = { ...event([]), body: Buffer.from('\ufffd').toString('base64'), isBase64Encoded: true }
  expect((await pass(encoded)).seen.at(-1)).toBe('\ufffd')
})

test('several cookies stay apart', async () => {
  const cookies = new Headers([
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
  ])
  const one = await pass({ httpMethod: 'GET', path: '/' }, new Response(null, { headers: cookies }))
  expect(one.result.multiValueHeaders).toEqual({ 'set-cookie': ['a=1', 'b=2'] })
  const event: LambdaEvent = {
    version: '2.0',
    rawPath: '/',
    rawQueryString: '',
    headers: {},
    requestContext: { http: { method: 'GET' } },
  }
  const two = await pass(event, new Response(null, { headers: cookies }))
  expect([two.result.cookies, two.result.headers]).toEqual([['a=1', 'b=2'], {}])
})

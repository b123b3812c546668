import type { IncomingMessage, RequestListener } from 'node:http'
import type { LambdaEvent, LambdaResult } from '@/sdk/adapters/lambda'

type Invoke = (event: LambdaEvent) => Promise<LambdaResult>

const TEXT = /^(text\/|application\/(json|x-www-form-urlencoded))/

/** What API Gateway and a load balancer do: events and results as JSON, binary bodies in base64. */
export const gateways: Record<string, (invoke: Invoke) => RequestListener> = {
  'payload format 1.0': (invoke) => serve(invoke, toEventV1),
  'payload format 2.0': (invoke) => serve(invoke, toEventV2),
}

function serve(
  invoke: Invoke,
  toEvent: (incoming: IncomingMessage, body: Buffer) => LambdaEvent,
): RequestListener {
  return async (incoming, outgoing) => {
    const chunks: Buffer[] = []
    try {
      for await (const chunk of incoming) chunks.push(chunk)
    } catch {
      // The client went away in mid-upload: the function is not invoked.
      return
    }
    try {
      const event: LambdaEvent = JSON.parse(JSON.stringify(toEvent(incoming, Buffer.concat(chunks))))
      const result: LambdaResult = JSON.parse(JSON.stringify(await invoke(event)))
      for (const [name, value] of Object.entries({ ...result.headers, ...result.multiValueHeaders }))
        outgoing.setHeader(name, value)
      if (result.cookies !== undefined) outgoing.setHeader('set-cookie', result.cookies)
      outgoing.statusCode = result.statusCode
      outgoing.end(Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8'))
    } catch {
      outgoing.statusCode = 502
      outgoing.end('{"message": "Internal server error"}')
    }
  }
}

const encode = ({ headers }: IncomingMessage, body: Buffer) => {
  const isText = TEXT.test(headers['content-type'] ?? '') && headers['content-encoding'] === undefined
  return {
    body: body.length === 0 ? null : body.toString(isText ? 'utf8' : 'base64'),
    isBase64Encoded: !isText,
  }
}

function toEventV1(incoming: IncomingMessage, body: Buffer): LambdaEvent {
  const { pathname, searchParams } = new URL(incoming.url ?? '/', 'http://gateway')
  const names = [...new Set(searchParams.keys())]
  return {
    httpMethod: incoming.method ?? 'GET',
    path: pathname,
    headers: Object.fromEntries(
      Object.entries(incoming.headersDistinct).map(([name, values]) => [name, values?.at(-1)]),
    ),
    multiValueHeaders: incoming.headersDistinct,
    multiValueQueryStringParameters:
      names.length === 0 ? null : Object.fromEntries(names.map((name) => [name, searchParams.getAll(name)])),
    ...encode(incoming, body),
  }
}

function toEventV2(incoming: IncomingMessage, body: Buffer): LambdaEvent {
  const { pathname, search } = new URL(incoming.url ?? '/', 'http://gateway')
  const { cookie, ...headers } = incoming.headersDistinct
  return {
    version: '2.0',
    rawPath: pathname,
    rawQueryString: search.slice(1),
    headers: Object.fromEntries(Object.entries(headers).map(([name, values]) => [name, values?.join(',')])),
    requestContext: { http: { method: incoming.method ?? 'GET' } },
    ...(cookie === undefined ? {} : { cookies: cookie.flatMap((line) => line.split('; ')) }),
    ...encode(incoming, body),
  }
}

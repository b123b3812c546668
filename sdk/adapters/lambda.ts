import { IdempotencyUsageError } from '../errors'
import type { AdaptedHandler } from '../node/adapted'
import { endToEndHeaders } from '../responses/passed-through'

/** A proxy event of API Gateway: payload format 1.0 (REST API, and an Application Load Balancer's). */
export type ProxyEventV1 = {
  httpMethod: string
  path: string
  headers?: Record<string, string | undefined> | null
  multiValueHeaders?: Record<string, string[] | undefined> | null
  queryStringParameters?: Record<string, string | undefined> | null
  multiValueQueryStringParameters?: Record<string, string[] | undefined> | null
  body?: string | null
  isBase64Encoded?: boolean
  requestContext?: { path?: string; elb?: unknown }
}

/** Payload format 2.0: HTTP API, and function URLs. */
export type ProxyEventV2 = {
  version: '2.0'
  rawPath: string
  rawQueryString: string
  cookies?: string[]
  headers: Record<string, string | undefined>
  requestContext: { http: { method: string } }
  body?: string | null
  isBase64Encoded?: boolean
}

export type LambdaEvent = ProxyEventV1 | ProxyEventV2

export type LambdaResult = {
  statusCode: number
  statusDescription?: string
  headers?: Record<string, string>
  multiValueHeaders?: Record<string, string[]>
  cookies?: string[]
  body: string
  isBase64Encoded: boolean
}

/** What a handler gets beside the request: an authorizer leaves the caller in `event.requestContext`. */
export type LambdaExtra<Event = LambdaEvent, Context = unknown> = { event: Event; context: Context }

/**
 * Serves a handler of `idempotent` as a Lambda function behind API Gateway (payload formats 1.0 and 2.0), a function URL or a
 * load balancer. What it throws is the function's error. Keep the deadline below the function's timeout: an execution that
 * is frozen loses its lease.
 */
export function toLambdaHandler<Event extends LambdaEvent, Context = unknown>(
  handler: AdaptedHandler<LambdaExtra<Event, Context>>,
): (event: Event, context: Context) => Promise<LambdaResult> {
  return async (event, context) => {
    const response = await handler(toRequest(event), { event, context })
    return toResult(response, event)
  }
}

const isV2 = (event: LambdaEvent): event is ProxyEventV2 => 'version' in event && event.version === '2.0'

function toRequest(event: LambdaEvent): Request {
  const headers = headersOf(event)
  const method = isV2(event) ? event.requestContext.http.method : event.httpMethod
  // The stage is a part of the path that the client asked for.
  const path = isV2(event) ? event.rawPath : (event.requestContext?.path ?? event.path)
  const query = isV2(event) ? event.rawQueryString : queryOf(event)
  const scheme = headers.get('x-forwarded-proto') ?? 'https'
  const url = `${scheme}://${headers.get('host') ?? 'localhost'}${path}${query === '' ? '' : `?${query}`}`
  const hasBody = method !== 'GET' && method !== 'HEAD' && typeof event.body === 'string'
  return new Request(url, { method, headers, body: hasBody ? bodyOf(event) : null })
}

/** Where no binary media types are set, API Gateway makes text of every body, and one character of all bytes that are none. */
function bodyOf({ body, isBase64Encoded = false }: LambdaEvent): Buffer<ArrayBuffer> {
  const sent = body ?? ''
  if (!isBase64Encoded && sent.includes('\ufffd'))
    throw new IdempotencyUsageError(
      'the gateway has made text of a body that is none, so it cannot be compared with a retry as it was sent: add its type to ' +
        "the API's binary media types, or */* for all",
    )
  return Buffer.from(sent, isBase64Encoded ? 'base64' : 'utf8')
}

function headersOf(event: LambdaEvent): Headers {
  const headers = new Headers()
  const many = isV2(event) ? null : event.multiValueHeaders
  for (const [name, values] of Object.entries(many ?? event.headers ?? {}))
    for (const value of [values ?? []].flat()) headers.append(name, value)
  if (isV2(event) && event.cookies !== undefined) headers.set('cookie', event.cookies.join('; '))
  return headers
}

/** API Gateway has decoded the parameters, a load balancer has not. */
function queryOf(event: ProxyEventV1): string {
  const many = event.multiValueQueryStringParameters ?? event.queryStringParameters ?? {}
  const pairs = Object.entries(many).flatMap(([name, values]) =>
    [values ?? []].flat().map((value): [string, string] => [name, value]),
  )
  return event.requestContext?.elb === undefined
    ? new URLSearchParams(pairs).toString()
    : pairs.map((pair) => pair.join('=')).join('&')
}

async function toResult(response: Response, event: LambdaEvent): Promise<LambdaResult> {
  const headers = endToEndHeaders(response.headers)
  const cookies = headers.getSetCookie()
  headers.delete('set-cookie')
  const bytes = Buffer.from(await response.arrayBuffer())
  // What is no text would be mended into something else.
  const text = bytes.toString('utf8')
  const isText = !headers.has('content-encoding') && Buffer.from(text).equals(bytes)
  const result = {
    statusCode: response.status,
    body: isText ? text : bytes.toString('base64'),
    isBase64Encoded: !isText,
  }
  if (isV2(event)) return { ...result, headers: Object.fromEntries(headers), cookies }
  const many = Object.fromEntries([...headers].map(([name, value]) => [name, [value]]))
  if (cookies.length > 0) many['set-cookie'] = cookies
  // A load balancer takes the one form or the other, as it sent its own.
  const single = event.multiValueHeaders === undefined || event.multiValueHeaders === null
  return {
    ...result,
    ...(event.requestContext?.elb === undefined
      ? {}
      : { statusDescription: `${response.status} ${response.statusText}`.trim() }),
    ...(single && cookies.length < 2
      ? {
          headers: {
            ...Object.fromEntries(headers),
            ...(cookies[0] === undefined ? {} : { 'set-cookie': cookies[0] }),
          },
        }
      : { multiValueHeaders: many }),
  }
}

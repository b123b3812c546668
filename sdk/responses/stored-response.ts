import { IdempotencyUsageError } from '../errors'
import type { StoredResponse } from '../stores/store'
import { requireAnswer } from './answer'
import { readBody } from './body'
import { endToEndHeaders, trueHeaders } from './passed-through'
import { WholeResponse } from './whole-response'

/**
 * What a replay may repeat of the first answer's headers. Never cookies or request ids: they belong to one exchange.
 * `content-type` and `content-encoding` say how to read the stored bytes.
 */
export const REPLAY_HEADERS_DEFAULT = [
  'content-type',
  'content-encoding',
  'content-language',
  'cache-control',
  'etag',
  'last-modified',
  'link',
  'location',
] as const

const NULL_BODY_STATUSES = new Set([101, 103, 204, 205, 304])

/** Reads the answer once: what to store, and an equal answer to send. Gives its body up when the signal aborts. */
export async function captureResponse(
  response: Response,
  {
    replayHeaders,
    responseBytesMax,
    codingsAsSent,
  }: { replayHeaders: ReadonlySet<string>; responseBytesMax: number; codingsAsSent: boolean },
  signal: () => AbortSignal,
): Promise<{ stored: StoredResponse; response: Response }> {
  const isWhole = response instanceof WholeResponse
  const body = isWhole
    ? response.within(responseBytesMax)
    : await readBody(requireAnswer(response), responseBytesMax, signal())
  if (body === null) {
    throw new IdempotencyUsageError(
      `the response is larger than responseBytesMax (${responseBytesMax}) and cannot be stored`,
    )
  }
  const { status } = response
  const replayed = (headers: Headers) => [...headers].filter(([name]) => replayHeaders.has(name))
  if (isWhole) return { stored: { status, headers: replayed(response.headers), body }, response }
  const headers = codingsAsSent ? endToEndHeaders(response.headers) : trueHeaders(response, body)
  return {
    stored: { status, headers: replayed(headers), body },
    response: rebuild(status, headers, body, response.statusText),
  }
}

export function replayResponse({ status, headers, body }: StoredResponse): Response {
  const replayed = new Headers(headers)
  replayed.set('idempotent-replayed', 'true')
  return rebuild(status, replayed, body)
}

function rebuild(status: number, headers: Headers, body: Uint8Array, statusText = ''): Response {
  return new Response(NULL_BODY_STATUSES.has(status) ? null : Uint8Array.from(body), {
    status,
    statusText,
    headers,
  })
}

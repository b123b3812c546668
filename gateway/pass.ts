import type { IncomingMessage, ServerResponse } from 'node:http'
import { isSafeMethod } from '@/sdk/requests/safe-methods'
import { type ByteBound, boundBytes } from './byte-bound'
import { gatewayProblem, problemResponse } from './problem'
import { AnswerLostError, NotSentError } from './upstream/errors'
import { type Exchange, withTraceContext } from './upstream/forward'
import { answerHeaders, headerValues, requestHeaders } from './upstream/headers'
import type { Upstream, UpstreamAnswer } from './upstream/upstream'

export type Passing = {
  upstream: Upstream
  deadlineMs: number
  requestBytes: number
  isDraining: () => boolean
}

/**
 * Streams a request without a key through, and its answer back. Resolves to what is still to be answered, or to the status
 * that was sent.
 */
export async function passThrough(
  { upstream, deadlineMs, requestBytes, isDraining }: Passing,
  { incoming, path, forwarding }: Exchange,
  outgoing: ServerResponse,
): Promise<Response | number> {
  const method = incoming.method ?? 'GET'
  const declared = headerValues(incoming, 'content-length')[0]
  if (Number(declared) > requestBytes) return problemResponse('tooLarge')
  const isChunked = incoming.headers['transfer-encoding'] !== undefined
  const hasBody = isChunked || Number(declared) > 0
  // What has a length is cut there by the parser.
  const bound = isChunked ? boundBytes(incoming, requestBytes) : null
  const body = bound?.stream ?? (hasBody ? incoming : null)
  const headers = [
    ...withTraceContext(requestHeaders(incoming, forwarding)),
    ...bodyHeaders(method, isChunked, declared),
  ]
  const send = () => upstream.send({ method, path, headers, body, deadlineMs })
  let answer: UpstreamAnswer
  try {
    answer = await send().catch((error: unknown) => {
      // RFC 9110, 9.2.2: a kept connection that the other side has closed is no reason to fail what changes nothing.
      if (hasBody || !isSafeMethod(method) || !isBrokenConnection(error)) throw error
      return send()
    })
  } catch (error) {
    return refusal(error, bound)
  }
  if (isDraining()) outgoing.shouldKeepAlive = false
  const { statusCode = 0 } = answer.head
  if (statusCode < 200 || statusCode > 999) {
    answer.settle()
    answer.head.destroy()
    return gatewayProblem('answerLost')
  }
  return sendOn(answer, outgoing, incoming)
}

function bodyHeaders(method: string, isChunked: boolean, declared: string | undefined): string[] {
  if (isChunked) return ['Transfer-Encoding', 'chunked']
  if (declared !== undefined) return ['Content-Length', declared]
  return isSafeMethod(method) || method === 'DELETE' ? [] : ['Content-Length', '0']
}

const isBrokenConnection = (error: unknown): boolean =>
  error instanceof AnswerLostError && error.facts.keptConnection === true && !error.facts.timedOut

function refusal(error: unknown, bound: ByteBound | null): Response {
  if (bound?.isExceeded()) return problemResponse('tooLarge')
  if (error instanceof NotSentError) return gatewayProblem('notSent', { retryAfterS: 1 })
  if (error instanceof AnswerLostError)
    return gatewayProblem(error.facts.timedOut ? 'answerLate' : 'answerLost')
  throw error
}

async function sendOn(
  { head, settle }: UpstreamAnswer,
  outgoing: ServerResponse,
  incoming: IncomingMessage,
): Promise<number> {
  // An answer that has begun may last: a stream of events has no deadline.
  settle()
  const status = head.statusCode ?? 502
  if (outgoing.destroyed) {
    // The client went away before: nobody would ever read, and the connection would be held.
    head.destroy()
    return status
  }
  // Half-read uploads would poison the next request of a kept connection.
  if (!incoming.complete) outgoing.shouldKeepAlive = false
  outgoing.writeHead(status, head.statusMessage ?? '', answerHeaders(head))
  await pipeAnswer(head, outgoing)
  return status
}

/** Either side may go away within the answer: what was begun cannot be answered otherwise, only be cut. */
const pipeAnswer = (head: IncomingMessage, outgoing: ServerResponse): Promise<void> =>
  new Promise((resolve) => {
    head.pipe(outgoing)
    head.once('close', () => {
      if (!head.readableEnded || !head.complete) outgoing.destroy()
    })
    outgoing.once('close', () => {
      head.destroy()
      resolve()
    })
  })

import type { IncomingMessage } from 'node:http'
import { context, propagation } from '@opentelemetry/api'
import type { ProbeConfig, RouteConfig } from '../config/schema'
import { gatewayProblem } from '../problem'
import { canonicalPath } from '../routes/path'
import { AnswerLostError } from './errors'
import { endToEnd, type Forwarding, requestHeaders } from './headers'
import { readAnswer } from './read-answer'
import type { Upstream } from './upstream'

/** One keyed request on its way. */
export type Exchange = {
  incoming: IncomingMessage
  path: string
  /** Who makes it. */
  caller: string
  forwarding: Forwarding
  receivedAtMs: number
}

/** `signal` aborts when the key is lost. */
export type Holding = { attempt: number; fence: bigint | null; signal: AbortSignal }

/** Sends the request once and reads the whole answer. Throws NotSentError or AnswerLostError. */
export async function forward(
  upstream: Upstream,
  {
    responseBytes,
    lostStatuses,
    notStored,
    deadline,
  }: Pick<RouteConfig, 'lostStatuses' | 'notStored' | 'deadline'> & { responseBytes: number },
  { incoming, path, forwarding }: Exchange,
  body: Uint8Array,
  { attempt, fence, signal }: Holding,
): Promise<Response> {
  const headers = [
    ...withTraceContext(requestHeaders(incoming, forwarding)),
    ...(attempt === 0 ? [] : ['Idempotency-Attempt', String(attempt)]),
    ...(fence === null ? [] : ['Idempotency-Fence', String(fence)]),
    ...['Content-Length', String(body.byteLength)],
  ]
  const method = incoming.method ?? 'POST'
  const answer = await upstream.send({ method, path, headers, body, deadlineMs: deadline, signal })
  const read = await readAnswer(answer, responseBytes)
  // What it says counts, however long it says it.
  if ((lostStatuses as readonly number[]).includes(read.status)) {
    throw new AnswerLostError(`the upstream answered ${read.status}`, 'answered_by_proxy', {
      status: read.status,
      timedOut: read.status === 504,
    })
  }
  if ('kind' in read) {
    if (notStored.includes(read.status)) return tooLargeRefusal(read.status, responseBytes)
    return gatewayProblem('answerTooLarge', {
      detail: `The request was executed: the service answered ${read.status}. Its answer is larger than the ${responseBytes} bytes that this gateway keeps, so it is not passed on.`,
    })
  }
  return read
}

/** Its status is what tells that nothing happened: that is passed on, and the key stays free. */
const tooLargeRefusal = (status: number, responseBytes: number): Response =>
  gatewayProblem('answerTooLarge', {
    status,
    detail: `The service refused with ${status}, in an answer larger than the ${responseBytes} bytes that this gateway passes on.`,
  })

/** What the probe of a route says became of a request. */
export type Probed =
  | { kind: 'found'; answer: Response }
  | { kind: 'absent' }
  | { kind: 'unclear'; why: string }

export async function probe(
  upstream: Upstream,
  { probe: pattern, found, absent, timeout }: ProbeConfig,
  responseBytes: number,
  { incoming, forwarding }: Exchange,
  key: string,
): Promise<Probed> {
  const path = pattern.replaceAll('{key}', encodeURIComponent(key))
  // A key that would lead to another place than its own is not to be asked for.
  if (canonicalPath(path.split('?', 1)[0] ?? '') === null)
    return { kind: 'unclear', why: 'this key cannot stand in the path of the probe' }
  const own = requestHeaders(incoming, forwarding)
  const headers = withTraceContext(endToEnd(own, (name) => NOT_OF_PROBE.has(name)))
  try {
    const answer = await upstream.send({ method: 'GET', path, headers, body: null, deadlineMs: timeout })
    const read = await readAnswer(answer, responseBytes)
    if ('kind' in read) return { kind: 'unclear', why: 'the answer of the probe is too large' }
    if (found.includes(read.status)) return { kind: 'found', answer: read }
    return absent.includes(read.status)
      ? { kind: 'absent' }
      : { kind: 'unclear', why: `the probe was answered ${read.status}` }
  } catch (error) {
    return { kind: 'unclear', why: error instanceof Error ? error.message : String(error) }
  }
}

/** What is of the body, and what would make of the question another one. */
const NOT_OF_PROBE = new Set([
  ...['content-type', 'content-encoding', 'content-length', 'content-md5', 'digest', 'content-digest'],
  ...['if-match', 'if-none-match', 'if-modified-since', 'if-unmodified-since', 'if-range', 'range'],
  ...['x-http-method-override', 'x-http-method', 'x-method-override'],
])

/** The active span becomes the parent of what the upstream does. */
export function withTraceContext(headers: readonly string[]): string[] {
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  const injected = Object.entries(carrier)
  if (injected.length === 0) return [...headers]
  const kept: string[] = []
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const lower = headers[at]?.toLowerCase() ?? ''
    if (!Object.hasOwn(carrier, lower)) kept.push(headers[at] ?? '', headers[at + 1] ?? '')
  }
  return [...kept, ...injected.flat()]
}

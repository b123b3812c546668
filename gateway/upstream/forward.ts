import type { IncomingMessage } from 'node:http'
import { context, propagation } from '@opentelemetry/api'
import type { ProbeConfig, RouteConfig } from '../config/schema'
import { gatewayProblem } from '../problem'
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

export type Numbers = { attempt: number; fence: bigint | null }

/** Sends the request once and reads the whole answer. Throws NotSentError or AnswerLostError. */
export async function forward(
  upstream: Upstream,
  {
    responseBytes,
    lostStatuses,
    deadline,
  }: Pick<RouteConfig, 'lostStatuses' | 'deadline'> & { responseBytes: number },
  { incoming, path, forwarding }: Exchange,
  body: Uint8Array,
  { attempt, fence }: Numbers,
): Promise<Response> {
  const headers = [
    ...withTraceContext(requestHeaders(incoming, forwarding)),
    ...(attempt === 0 ? [] : ['Idempotency-Attempt', String(attempt)]),
    ...(fence === null ? [] : ['Idempotency-Fence', String(fence)]),
    ...['Content-Length', String(body.byteLength)],
  ]
  const method = incoming.method ?? 'POST'
  const answer = await upstream.send({ method, path, headers, body, deadlineMs: deadline })
  const read = await readAnswer(answer, responseBytes)
  if ('kind' in read) {
    return gatewayProblem('answerTooLarge', {
      detail: `The request was executed: the service answered ${read.status}. Its answer is larger than the ${responseBytes} bytes that this gateway keeps, so it is not passed on.`,
    })
  }
  if ((lostStatuses as readonly number[]).includes(read.status)) {
    throw new AnswerLostError(`the upstream answered ${read.status}`, 'answered_by_proxy', {
      status: read.status,
      timedOut: read.status === 504,
    })
  }
  return read
}

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
  const own = requestHeaders(incoming, forwarding)
  const headers = withTraceContext(endToEnd(own, OF_BODY))
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

const OF_BODY = new Set([
  ...['content-type', 'content-encoding', 'content-length', 'content-md5', 'digest', 'content-digest'],
])

/** The active span becomes the parent of what the upstream does. */
export function withTraceContext(headers: readonly string[]): string[] {
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  const injected = Object.entries(carrier)
  if (injected.length === 0) return [...headers]
  const names = new Set(injected.map(([name]) => name.toLowerCase()))
  return [...endToEnd(headers, names), ...injected.flat()]
}

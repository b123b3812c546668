import { IdempotencyUsageError } from '../errors'
import type { RequestHead } from '../requests/head'

/** Duck-typed: frameworks bring classes of their own, which are no instances of the global one. */
export const isResponse = (value: unknown): value is Response =>
  typeof value === 'object' &&
  value !== null &&
  'status' in value &&
  typeof value.status === 'number' &&
  'headers' in value &&
  'arrayBuffer' in value &&
  'body' in value &&
  (value.body === null || (typeof value.body === 'object' && 'getReader' in value.body))

/**
 * What a call gives, or the answer that it throws: a Response, Hono's HTTPException, Next's `redirect()` or `notFound()`
 * is an answer like a returned one. Only errors are thrown on.
 */
export async function orThrownAnswer<T>(
  request: RequestHead,
  call: () => T | Promise<T>,
): Promise<T | Response> {
  try {
    return await call()
  } catch (thrown) {
    const answer = thrownAnswer(request, thrown)
    if (answer === null) throw thrown
    return answer
  }
}

export const answerOf = async (request: RequestHead, call: () => unknown): Promise<Response> =>
  requireAnswer(await orThrownAnswer(request, call))

/**
 * Runs a transaction whose work may throw its answer. One that says that it went well (a redirect) commits, like a
 * returned one, and is then thrown on, as its thrower expects; any other throw rolls back.
 */
export async function answerOfTransaction<Tx>(
  request: RequestHead,
  work: (tx: Tx) => Promise<Response>,
  run: (work: (tx: Tx) => Promise<Response>) => Promise<Response>,
): Promise<Response> {
  let thrown: unknown
  const answer = await run(async (tx) => {
    thrown = undefined
    try {
      return requireAnswer(await work(tx))
    } catch (error) {
      const answer = thrownAnswer(request, error)
      if (answer === null || answer.status >= 400) throw error
      // An answer with a body of its own can be read once: the one that was read is thrown on.
      thrown = error instanceof Error && 'digest' in error ? error : answer
      return requireAnswer(answer)
    }
  })
  if (thrown === undefined) return answer
  throw thrown instanceof Error ? thrown : answer
}

/** A Response that nobody has read. */
export function requireAnswer(value: unknown): Response {
  if (!isResponse(value)) throw new IdempotencyUsageError('the handler must return a Web-standard Response')
  if (value.bodyUsed || value.body?.locked) {
    throw new IdempotencyUsageError(
      'the body of the returned response was read already: return response.clone(), or a new Response',
    )
  }
  return value
}

/** The answer that a thrown value stands for, as its framework would send it; null for an error. */
function thrownAnswer(request: RequestHead, thrown: unknown): Response | null {
  if (isResponse(thrown)) return thrown
  if (typeof thrown !== 'object' || thrown === null) return null
  if ('getResponse' in thrown && typeof thrown.getResponse === 'function') {
    const response: unknown = thrown.getResponse()
    return isResponse(response) ? response : null
  }
  return 'digest' in thrown && typeof thrown.digest === 'string' ? nextAnswer(request, thrown.digest) : null
}

/** `NEXT_REDIRECT;replace;/path;307;` and `NEXT_HTTP_ERROR_FALLBACK;404`, answered as Next's route handlers do. */
function nextAnswer(request: RequestHead, digest: string): Response | null {
  const fallback = /^NEXT_HTTP_ERROR_FALLBACK;(401|403|404)$/.exec(digest)
  if (fallback !== null) return new Response(null, { status: Number(fallback[1]) })
  const [, location, status] = /^NEXT_REDIRECT;(?:replace|push);(.*);(303|307|308);$/s.exec(digest) ?? []
  if (location === undefined) return null
  return new Response(null, {
    status: mayBeServerAction(request) ? 303 : Number(status),
    headers: { location },
  })
}

/** Next sends the browser on with GET after a form. */
function mayBeServerAction({ method, headers }: RequestHead): boolean {
  if (method !== 'POST') return false
  const type = headers.get('content-type') ?? ''
  return (
    type === 'application/x-www-form-urlencoded' ||
    type.startsWith('multipart/form-data') ||
    headers.has('next-action')
  )
}

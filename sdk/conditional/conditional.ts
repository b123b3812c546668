import { isSafeMethod } from '../requests/safe-methods'
import { problemResponse } from '../responses/problem'
import { formatEtag, type Version } from './etag'
import { evaluatePreconditions } from './preconditions'

export { formatEtag, type Version } from './etag'

export type ConditionalOptions<Context, V extends Version> = {
  /** What the resource of the request is now. */
  version: (request: Request, context: Context) => V | Promise<V>
  /**
   * Methods that need a precondition (428 without). Default none. PATCH always needs one that holds only once, or an idempotency
   * key: what it does twice may add up.
   */
  required?: readonly string[]
  /** Wall clock, for dates. */
  dateNowMs?: () => number
}

/** Throw it when the version that was seen is no longer there at the write: the client is answered 412. */
export class PreconditionFailedError extends Error {
  override readonly name = 'PreconditionFailedError'
  /** As what it is answered: `idempotent` takes it for a thrown answer. */
  getResponse(): Response {
    return problemResponse('preconditionFailed')
  }
}

/**
 * Serves conditional requests (RFC 9110, 13): 304, 412, 428, and the ETag of what is read. Inside `idempotent`, a retry of what
 * succeeded is replayed before any precondition is looked at. The handler gets the version that was compared: write with
 * `WHERE version = seen`, and throw PreconditionFailedError when that changed nothing, since another may write in between.
 */
export function conditional<Context = undefined, V extends Version = Version>(
  handler: (request: Request, context: Context, seen: V) => Promise<Response> | Response,
  { version, required = [], dateNowMs = Date.now }: ConditionalOptions<Context, V>,
): (request: Request, context: Context) => Promise<Response> {
  const needed = new Set(required.map((method) => method.toUpperCase()))
  return async (request, context) => {
    const seen = await version(request, context)
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    // Preconditions are no matter of what would be answered 404, nor of OPTIONS.
    if (isSafeMethod(request.method) && !(isRead && seen !== null)) return handler(request, context, seen)
    const evaluated = evaluatePreconditions(request, seen, dateNowMs())
    if (evaluated.kind === 'malformed')
      return problemResponse('preconditionMalformed', {
        detail: `The ${evaluated.header} header is not usable: it must be * or a list of quoted entity tags.`,
      })
    const tagged = (answer: Response) => withTag(answer, seen, dateNowMs())
    if (evaluated.kind === 'failed') return tagged(problemResponse('preconditionFailed'))
    if (evaluated.kind === 'none' && !isRead && needed.has(request.method))
      return problemResponse('preconditionRequired')
    const isOnce = (evaluated.kind === 'passed' && evaluated.once) || isKeyed(context)
    if (request.method === 'PATCH' && !isOnce)
      return problemResponse('preconditionRequired', {
        detail:
          'A PATCH must have an If-Match header that names a version, or an Idempotency-Key: done twice, it could count twice.',
      })
    if (!isRead) return orFailed(() => handler(request, context, seen))
    const answer = tagged(await handler(request, context, seen))
    return evaluated.kind === 'not_modified' && answer.status === 200 ? notModified(answer) : answer
  }
}

const isKeyed = (context: unknown): boolean =>
  typeof context === 'object' && context !== null && 'key' in context && typeof context.key === 'string'

/** Without `idempotent` around it, nobody else knows what the error stands for. */
async function orFailed(call: () => Promise<Response> | Response): Promise<Response> {
  try {
    return await call()
  } catch (error) {
    if (error instanceof PreconditionFailedError) return error.getResponse()
    throw error
  }
}

/**
 * RFC 9110, 8.8.2.2: a date that was told while its second still ran would hold for another change within it, too. One second more,
 * since the clock that stamped it may be behind.
 */
const DATE_SETTLES_MS = 2_000
const isSettled = (modifiedAt: Date, nowMs: number): boolean =>
  nowMs - Math.floor(modifiedAt.getTime() / 1_000) * 1_000 >= DATE_SETTLES_MS

/** The handler's own tag stays. */
function withTag(answer: Response, version: Version, nowMs: number): Response {
  if (version === null || answer.headers.has('etag') || !(answer.ok || answer.status === 412)) return answer
  const headers = new Headers(answer.headers)
  headers.set('etag', formatEtag(version))
  const modifiedAt = typeof version === 'object' ? version.modifiedAt : undefined
  if (modifiedAt !== undefined && isSettled(modifiedAt, nowMs) && !headers.has('last-modified'))
    headers.set('last-modified', modifiedAt.toUTCString())
  const { status, statusText, body } = answer
  return new Response(body, { status, statusText, headers })
}

/** RFC 9110, 15.4.5: what a cache needs of the answer that it was. */
function notModified(answer: Response): Response {
  void answer.body?.cancel().catch(() => {})
  const kept = ['cache-control', 'content-location', 'date', 'etag', 'expires', 'vary', 'last-modified']
  const headers = [...answer.headers].filter(([name]) => kept.includes(name))
  return new Response(null, { status: 304, headers })
}

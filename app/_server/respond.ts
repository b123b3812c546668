import { ZodError } from 'zod'
import { AppError, toProblem } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { asUnavailable } from '@/lib/postgres-errors'
import type { FileAnswer } from './api/route'
import { faultsOf, invalid } from './api/validate'
import { services } from './services'

export const REQUEST_ID_HEADER = 'x-request-id'
const PROBLEM_TYPE = 'application/problem+json'

/** The edge of the API: gives the request its id, and turns whatever was thrown into problem details. */
export async function respond(
  request: Request,
  work: (requestId: string) => Promise<Response>,
): Promise<Response> {
  const requestId = newId('req')
  try {
    return withRequestId(await work(requestId), requestId)
  } catch (error) {
    const known = asKnownError(error)
    if (!(known instanceof AppError) || known.status >= 500) logFailure(error, request, requestId)
    return problemResponse(known, requestId)
  }
}

/** JSON that nobody keeps: figures and states are of this moment. */
export function jsonResponse(body: unknown, status = 200): Response {
  // A bigint is exact as a decimal string only.
  const text = JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? value.toString() : value))
  return new Response(text, {
    status,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  })
}

/** Sent as it is made: a report of any length takes the memory of one page of it. */
export function fileResponse(file: FileAnswer): Response {
  const encoder = new TextEncoder()
  const chunks = file.chunks[Symbol.asyncIterator]()
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await chunks.return?.()
    },
  })
  return new Response(stream, {
    headers: {
      'content-type': file.contentType,
      'content-disposition': `attachment; filename="${file.name}"`,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    },
  })
}

export function problemResponse(error: unknown, requestId: string): Response {
  const problem = toProblem(error, requestId)
  const headers = new Headers({ 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' })
  headers.set(REQUEST_ID_HEADER, requestId)
  if (problem.status === 401) headers.set('www-authenticate', 'Bearer realm="idemscope"')
  if (problem.status === 503 || problem.status === 429) headers.set('retry-after', '2')
  return new Response(JSON.stringify(problem), { status: problem.status, headers })
}

/** What the input broke is the caller's to mend: each fault is named with its place. */
export function asKnownError(error: unknown): unknown {
  return error instanceof ZodError ? invalid(faultsOf(error, 'body')) : asUnavailable(error)
}

/** The SDK answers with problem details of its own; they get our request id too. */
async function withRequestId(response: Response, requestId: string): Promise<Response> {
  const headers = new Headers(response.headers)
  headers.set(REQUEST_ID_HEADER, requestId)
  const init = { status: response.status, headers }
  if (headers.get('content-type') !== PROBLEM_TYPE) return new Response(response.body, init)
  const problem = (await response.json()) as Record<string, unknown>
  return new Response(JSON.stringify({ ...problem, requestId }), init)
}

function logFailure(error: unknown, request: Request, requestId: string): void {
  const { method, url } = request
  try {
    services().log.error({ err: error, requestId, method, path: new URL(url).pathname }, 'request failed')
  } catch {
    // There is no process context, which is what failed: Next prints what it catches.
    process.stderr.write(`${requestId} ${String(error)}\n`)
  }
}

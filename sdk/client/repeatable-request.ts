import { readBody } from '../body'
import { IdempotencyUsageError } from '../errors'

/** What every attempt sends: a body is read once, and its bytes (the boundary of a form, too) stay the same. */
export type RepeatableRequest = { url: string; init: RequestInit }

export async function makeRepeatable(
  input: string | URL | Request,
  init: RequestInit,
  { keyHeader, bodyBytesMax, signal }: { keyHeader: string; bodyBytesMax: number; signal: AbortSignal },
): Promise<RepeatableRequest> {
  const stream = asStream(init.body)
  const read = stream === null ? undefined : await readBody({ body: stream }, bodyBytesMax, signal)
  if (read === null) throw tooLarge(bodyBytesMax)
  const request = new Request(input, read === undefined ? init : { ...init, body: read })
  request.headers.set('idempotency-key', keyHeader)
  const body = read ?? (await untilAborted(signal, request.arrayBuffer()))
  if (body.byteLength > bodyBytesMax) throw tooLarge(bodyBytesMax)
  const { method, headers, redirect, credentials, cache, mode, referrerPolicy, integrity, keepalive } =
    request
  return {
    url: request.url,
    init: {
      // What only this fetch knows (a dispatcher, a priority) stays.
      ...init,
      ...{ method, headers, redirect, credentials, cache, mode, referrerPolicy, integrity, keepalive },
      body: body.byteLength === 0 ? null : body,
    },
  }
}

const tooLarge = (bodyBytesMax: number) =>
  new IdempotencyUsageError(
    `the body is larger than bodyBytesMax (${bodyBytesMax}) and cannot be kept for a retry`,
  )

/** A body that can be read only once; null for one that can be sent as it is. */
function asStream(body: RequestInit['body']): ReadableStream<Uint8Array> | null {
  if (body instanceof ReadableStream) return body
  // Another class of form or stream would be sent as the text "[object Object]".
  const known = [URLSearchParams, FormData, Blob, ArrayBuffer].some((kind) => body instanceof kind)
  if (body === null || body === undefined || typeof body === 'string' || known || ArrayBuffer.isView(body))
    return null
  throw new IdempotencyUsageError(
    'a body must be text, bytes, a Blob, the global FormData or URLSearchParams, or a ReadableStream ' +
      '(of a stream of node: Readable.toWeb(stream))',
  )
}

/** A body whose reading cannot be stopped is at least no longer waited for. */
function untilAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })
}

import { IdempotencyUsageError } from '../errors'
import { readBody } from '../responses/body'

/** What every attempt sends: a body is read once, and its bytes (the boundary of a form, too) stay the same. */
export type RepeatableRequest = { url: string; init: RequestInit }

type Bounds = { keyHeader: string; bodyBytesMax: number; signal: AbortSignal }

export async function makeRepeatable(
  input: string | URL | Request,
  init: RequestInit,
  bounds: Bounds,
): Promise<RepeatableRequest> {
  const request = isRequest(input) ? input : null
  const headers = new Headers(init.headers ?? request?.headers ?? {})
  const { body, type } = await keepBody(init.body ?? (request === null ? null : request), bounds)
  if (type !== null && !headers.has('content-type')) headers.set('content-type', type)
  headers.set('idempotency-key', bounds.keyHeader)
  // What only this fetch knows (a dispatcher, a priority) stays.
  return {
    url: request?.url ?? String(input),
    init: { ...(request === null ? {} : settingsOf(request)), ...init, headers, body },
  }
}

export const isRequest = (input: unknown): input is Request =>
  typeof Request !== 'undefined' && input instanceof Request

function settingsOf(request: Request): RequestInit {
  const { method, redirect, credentials, cache, mode, referrerPolicy, integrity, keepalive } = request
  return { method, redirect, credentials, cache, mode, referrerPolicy, integrity, keepalive }
}

type Kept = { body: string | Uint8Array<ArrayBuffer> | Blob | null; type: string | null }

/**
 * The body as something that can be sent again, and the type that `fetch` would have made of it. Text and blobs stay what they are:
 * React Native cannot read them into bytes.
 */
async function keepBody(body: RequestInit['body'] | Request, bounds: Bounds): Promise<Kept> {
  if (body === null || body === undefined) return { body: null, type: null }
  if (typeof body === 'string') return { body: requireSmall(body, bounds), type: 'text/plain;charset=UTF-8' }
  if (isOf('URLSearchParams', body))
    return {
      body: requireSmall(String(body), bounds),
      type: 'application/x-www-form-urlencoded;charset=UTF-8',
    }
  if (isOf('Blob', body)) {
    if (body.size > bounds.bodyBytesMax) throw tooLarge(bounds)
    return { body, type: body.type === '' ? null : body.type }
  }
  if (isOf('ReadableStream', body)) return { body: await readWhole({ body }, bounds), type: null }
  if (body instanceof ArrayBuffer || ArrayBuffer.isView(body)) {
    if (body.byteLength > bounds.bodyBytesMax) throw tooLarge(bounds)
    // The caller may write into its own while this one waits.
    return { body: ArrayBuffer.isView(body) ? copyOf(body) : new Uint8Array(body.slice(0)), type: null }
  }
  if (isOf('FormData', body)) return encodeForm(body, bounds)
  if (isRequest(body)) {
    if (body.body === null) return { body: null, type: null }
    return {
      body: body.body === undefined ? await readAll(body, bounds) : await readWhole(body, bounds),
      type: null,
    }
  }
  // Another class of form or stream would be sent as the text "[object Object]".
  throw new IdempotencyUsageError(
    'a body must be text, bytes, a Blob, the global FormData or URLSearchParams, or a ReadableStream ' +
      '(of a stream of node: Readable.toWeb(stream))',
  )
}

type Classes = {
  URLSearchParams: URLSearchParams
  Blob: Blob
  ReadableStream: ReadableStream<Uint8Array>
  FormData: FormData
}

/** Not every platform has every class. */
function isOf<Name extends keyof Classes>(name: Name, value: unknown): value is Classes[Name] {
  const known: unknown = Reflect.get(globalThis, name)
  return typeof known === 'function' && value instanceof known
}

const copyOf = (view: ArrayBufferView): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(new Uint8Array(view.buffer, view.byteOffset, view.byteLength))

/** Encoded once, so that its boundary stays the same. */
async function encodeForm(form: FormData, bounds: Bounds): Promise<Kept> {
  try {
    const encoded = new Response(form)
    const type = encoded.headers.get('content-type')
    if (type?.startsWith('multipart/form-data') && encoded.body !== null)
      return { body: await readWhole(encoded, bounds), type }
  } catch (error) {
    if (error instanceof IdempotencyUsageError || bounds.signal.aborted) throw error
  }
  throw new IdempotencyUsageError(
    'this platform (React Native) cannot encode FormData before it is sent, so a retry could not send the same bytes: upload the ' +
      'file first and send its reference as JSON, or encode the form yourself and send text or bytes with its content-type',
  )
}

async function readWhole(
  source: { readonly body: ReadableStream<Uint8Array> | null },
  bounds: Bounds,
): Promise<Uint8Array<ArrayBuffer> | null> {
  const bytes = await readBody(source, bounds.bodyBytesMax, bounds.signal)
  if (bytes === null) throw tooLarge(bounds)
  return bytes.byteLength === 0 ? null : bytes
}

/** A platform whose requests have no stream. */
async function readAll(request: Request, bounds: Bounds): Promise<string | null> {
  const text = await request.text()
  return text === '' ? null : requireSmall(text, bounds)
}

function requireSmall(text: string, bounds: Bounds): string {
  const isSmall = text.length * 3 <= bounds.bodyBytesMax
  if (!isSmall && new TextEncoder().encode(text).byteLength > bounds.bodyBytesMax) throw tooLarge(bounds)
  return text
}

const tooLarge = ({ bodyBytesMax }: Bounds) =>
  new IdempotencyUsageError(
    `the body is larger than bodyBytesMax (${bodyBytesMax}) and cannot be kept for a retry`,
  )

import zlib from 'node:zlib'
import { WholeResponse } from './whole-response'

// RFC 9110, 7.6.1: these belong to one connection; trailers are not carried on.
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]

/** The headers without those of the connection that they came by. */
export function endToEndHeaders(headers: Headers): Headers {
  const named = (headers.get('connection') ?? '').split(',').map((name) => name.trim().toLowerCase())
  const dropped = new Set([...HOP_BY_HOP, ...named])
  return new Headers([...headers].filter(([name]) => !dropped.has(name)))
}

/**
 * The headers that are true of a whole body: a response of `fetch` has its body inflated, and still says how it was
 * deflated and how long it was.
 */
export function trueHeaders(response: Response, body: Uint8Array): Headers {
  const headers = endToEndHeaders(response.headers)
  if (decodes(headers, body) !== 'yes') headers.delete('content-encoding')
  if (Number(headers.get('content-length')) !== body.byteLength) headers.delete('content-length')
  return headers
}

/** The same for an answer that is sent as it comes: the beginning of its body has to do. */
export async function passThrough(
  response: Response,
  { codingsAsSent }: { codingsAsSent: boolean },
): Promise<Response> {
  if (response instanceof WholeResponse) return response
  const { status, statusText } = response
  const headers = endToEndHeaders(response.headers)
  if (codingsAsSent || response.body === null || !headers.has('content-encoding')) {
    const same = [...headers].length === [...response.headers].length
    return same ? response : new Response(response.body, { status, statusText, headers })
  }
  const [peeked, body] = response.body.tee()
  const reader = peeked.getReader()
  const { value = new Uint8Array() } = await reader.read()
  void reader.cancel()
  const decoded = decodes(headers, value)
  // Only what `fetch` returned has an address, and `fetch` undoes every coding that it knows.
  if (decoded === 'no' || (decoded === 'so far' && response.url !== '')) {
    headers.delete('content-encoding')
    headers.delete('content-length')
  }
  return new Response(body, { status, statusText, headers })
}

type Decoder = (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array

export const DECODERS: Readonly<Record<string, Decoder | undefined>> = {
  gzip: zlib.gunzipSync,
  'x-gzip': zlib.gunzipSync,
  // Some leave the two bytes of zlib out.
  deflate: (bytes, options) =>
    ((bytes[0] ?? 0) & 0x0f) === 8 ? zlib.inflateSync(bytes, options) : zlib.inflateRawSync(bytes, options),
  br: zlib.brotliDecompressSync,
  // Since Node 22.15.
  zstd: Reflect.get(zlib, 'zstdDecompressSync') as Decoder | undefined,
}

/** Enough to tell; bounds what a bomb may cost. */
const DECODED_BYTES_MAX = 65_536

/** Whether bytes are in the coding that the headers name last. A coding that nobody here can read is believed. */
function decodes(headers: Headers, bytes: Uint8Array): 'yes' | 'so far' | 'no' {
  const codings = (headers.get('content-encoding') ?? 'identity').toLowerCase().split(',')
  const decode = DECODERS[codings.at(-1)?.trim() ?? '']
  if (decode === undefined) return 'yes'
  try {
    decode(bytes, { maxOutputLength: DECODED_BYTES_MAX })
    return 'yes'
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ERR_BUFFER_TOO_LARGE') return 'yes'
    return code === 'Z_BUF_ERROR' ? 'so far' : 'no'
  }
}

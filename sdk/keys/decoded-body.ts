import { DECODERS } from '../responses/passed-through'
import { problemResponse } from '../responses/problem'

/**
 * The request without its coding, or the answer that refuses it: bytes that were compressed again differ (gzip has a time in its
 * head), and would name another operation.
 */
export function decodeBody(
  request: Pick<Request, 'url' | 'headers'>,
  body: Uint8Array,
  bodyBytesMax: number,
): { request: Pick<Request, 'url' | 'headers'>; body: Uint8Array } | Response {
  const headers = new Headers(request.headers)
  const codings = (headers.get('content-encoding') ?? '').toLowerCase().split(',')
  headers.delete('content-encoding')
  let decoded = body
  // The one that was applied last is named last.
  for (const coding of codings.map((name) => name.trim()).reverse()) {
    if (coding === '' || coding === 'identity') continue
    const decode = DECODERS[coding]
    if (decode === undefined) return cannotBeRead(coding)
    try {
      decoded = decode(decoded, { maxOutputLength: Math.max(1, bodyBytesMax) })
    } catch (error) {
      const isLarge = error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      return isLarge ? problemResponse('tooLarge') : cannotBeRead(coding)
    }
  }
  return { request: { url: request.url, headers }, body: decoded }
}

const cannotBeRead = (coding: string) =>
  problemResponse('malformed', {
    detail: `The body cannot be read as ${coding}, and it names the operation: send it without Content-Encoding, or as gzip, br or deflate.`,
  })

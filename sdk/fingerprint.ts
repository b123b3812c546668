import { createHash } from 'node:crypto'
import { canonicalizeJson } from './canonical-json'

const FINGERPRINT_BYTES = 16
const JSON_TYPE = /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i

/** 16 bytes over method, path with query, and body: JSON by meaning, any other type by its bytes. */
export function fingerprintRequest(request: Request, body: Uint8Array): Uint8Array {
  const { pathname, search } = new URL(request.url)
  const hash = createHash('sha256').update(JSON.stringify([request.method, pathname, search]))
  return hash.update(canonicalBody(request, body)).digest().subarray(0, FINGERPRINT_BYTES)
}

function canonicalBody(request: Request, body: Uint8Array): Uint8Array | string {
  if (!JSON_TYPE.test(request.headers.get('content-type') ?? '')) return body
  return canonicalizeJson(new TextDecoder().decode(body)) ?? body
}

import { createHash } from 'node:crypto'
import { canonicalizeJson } from './canonical-json'
import { readFormFields } from './fingerprint/form-fields'
import { isJsonType, isUtf8, type MediaType, parseMediaType } from './fingerprint/media-type'
import { splitMultipart } from './fingerprint/multipart'

const FINGERPRINT_BYTES = 16
/** Another way to compare gets another number here, and nowhere else: fingerprints of two versions never meet. */
const VERSION = 1

/**
 * 16 bytes over method, path with query, and content: JSON by its meaning, multipart by its parts, a form by its fields.
 * Whatever could be read in two ways, and any other type, is compared by its bytes.
 */
export function fingerprintRequest({ method, url, headers }: Request, body: Uint8Array): Uint8Array {
  const { pathname, search } = new URL(url)
  const { kind, type, pieces } = comparableContent(headers, body)
  const hash = createHash('sha256')
  hash.update(JSON.stringify([VERSION, method, pathname, search, kind, type]))
  for (const piece of pieces) hash.update(`,${Buffer.byteLength(piece)}:`).update(piece)
  return hash.digest().subarray(0, FINGERPRINT_BYTES)
}

type Content = {
  kind: 'empty' | 'json' | 'parts' | 'fields' | 'bytes'
  /** What is true of the content type in every spelling. */
  type: string[]
  pieces: (string | Uint8Array)[]
}

function comparableContent(headers: Headers, body: Uint8Array): Content {
  if (body.byteLength === 0) return { kind: 'empty', type: [], pieces: [] }
  const type = parseMediaType(headers.get('content-type'))
  const coding = headers.get('content-encoding')?.toLowerCase() ?? 'identity'
  if (coding === 'identity') {
    const json = isJsonType(type) && isUtf8(type) ? canonicalizeBytes(body) : null
    if (json !== null) return { kind: 'json', type: typeLabel(type), pieces: [json] }
    const parts = type.essence.startsWith('multipart/')
      ? splitMultipart(body, type.parameters.get('boundary') ?? '')
      : null
    if (parts !== null) return { kind: 'parts', type: typeLabel(type, 'boundary'), pieces: parts }
    if (type.essence === 'application/x-www-form-urlencoded') {
      return { kind: 'fields', type: typeLabel(type), pieces: [JSON.stringify(readFormFields(body))] }
    }
  }
  return { kind: 'bytes', type: [coding, ...typeLabel(type)], pieces: [body] }
}

function canonicalizeBytes(body: Uint8Array): string | null {
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    // Not UTF-8: what it is compared by is its bytes.
    return null
  }
  return canonicalizeJson(text)
}

/** UTF-8 is what an absent charset means. */
function typeLabel(type: MediaType, left?: string): string[] {
  const parameters = [...type.parameters]
    .filter(([name]) => name !== left && !(name === 'charset' && isUtf8(type)))
    .map(([name, value]) => `${name}=${name === 'charset' ? value.toLowerCase() : value}`)
  return [type.essence, ...parameters.sort()]
}

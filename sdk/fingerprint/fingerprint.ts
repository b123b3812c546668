import { createHash } from 'node:crypto'
import type { RequestHead } from '../requests/head'
import { canonicalizeJson } from './canonical-json'
import { readFormFields } from './form-fields'
import { isJsonType, isUtf8, type MediaType, parseMediaType } from './media-type'
import { splitMultipart } from './multipart'

const FINGERPRINT_BYTES = 16

/**
 * Every way in which records may have been compared, the newest last. A new one is added here, is known to every process for
 * one release, and only then written: until then a process that does not know it would take a retry for another request.
 */
export const FINGERPRINT_VERSIONS = [1, 2] as const
export type FingerprintVersion = (typeof FINGERPRINT_VERSIONS)[number]

/**
 * 16 bytes over method, path with query, and content: JSON by its meaning, multipart by its parts, a form by its fields.
 * Whatever could be read in two ways, and any other type, is compared by its bytes.
 */
export function fingerprintRequest(
  { method, url, headers }: RequestHead,
  body: Uint8Array,
  version: FingerprintVersion = 1,
): Uint8Array {
  const { pathname, search } = new URL(url)
  return asVersion(version, digest([version, method, pathname, search], comparableContent(headers, body)))
}

/** Of a request that is only what names it. */
export function fingerprintNamed(method: string, named: string, version: FingerprintVersion = 1): Uint8Array {
  const content: Content = { kind: 'bytes', type: [], pieces: [named] }
  return asVersion(version, digest([version, method, 'named'], content))
}

/** The whole digest of what a request says, for a key that is made of it: the same in every version. */
export const digestOfContent = (
  { url, headers }: Pick<RequestHead, 'url' | 'headers'>,
  body: Uint8Array,
): string => {
  const { pathname, search } = new URL(url)
  return digest([1, pathname, search], comparableContent(headers, body)).toString('hex')
}

/** From 2 on, the first byte says which version a record holds; of 1, it is as random as the others. */
function asVersion(version: FingerprintVersion, digest: Buffer): Uint8Array {
  if (version === 1) return digest.subarray(0, FINGERPRINT_BYTES)
  return Buffer.concat([Uint8Array.of(version), digest.subarray(0, FINGERPRINT_BYTES - 1)])
}

function digest(facts: unknown[], { kind, type, pieces }: Content): Buffer {
  const hash = createHash('sha256')
  hash.update(JSON.stringify([...facts, kind, type]))
  for (const piece of pieces) hash.update(`,${Buffer.byteLength(piece)}:`).update(piece)
  return hash.digest()
}

type Content = {
  kind: 'empty' | 'json' | 'parts' | 'fields' | 'bytes'
  /** What is true of the content type in every spelling. */
  type: string[]
  pieces: (string | Uint8Array)[]
}

function comparableContent(headers: Pick<Headers, 'get'>, body: Uint8Array): Content {
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

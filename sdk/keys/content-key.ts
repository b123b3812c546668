import { createHash } from 'node:crypto'
import { IdempotencyUsageError } from '../errors'
import { digestOfContent } from '../fingerprint/fingerprint'
import { isResponse, orThrownAnswer } from '../responses/answer'
import { decodeBody } from './decoded-body'

/** What names an operation: a provider's event id, an account with a number. The same for each delivery, in this order. */
export type KeyParts = readonly (string | number | bigint)[]

/**
 * `content`: the whole request. A function: what it names, and only that; what else differs between deliveries is not
 * compared. Null = it names nothing, and the request is refused as one without a key.
 */
export type KeySource =
  | 'header'
  | 'content'
  | ((request: Request) => KeyParts | null | Response | Promise<KeyParts | null | Response>)

/** Of the key alone: a fingerprint may change its version, but another key would be another operation. */
const KEY_VERSION = 1

/** What names the request that was read, or the answer that refuses it; null = nothing names it. */
export async function deriveKey(
  source: Exclude<KeySource, 'header'>,
  scope: string,
  request: Request,
  body: Uint8Array,
  bodyBytesMax: number,
): Promise<{ key: string; named: string } | Response | null> {
  if (source === 'content') {
    if (body.byteLength === 0) return null
    const read = decodeBody(request, body, bodyBytesMax)
    if (read instanceof Response) return read
    const digest = digestOfContent(read.request, read.body)
    return { key: hash([KEY_VERSION, scope, 'content', digest]), named: digest }
  }
  // A request of its own: the handler's is still to be read.
  const parts = await orThrownAnswer(request, () => source(request.clone()) as Promise<KeyParts | null>)
  if (parts === null || isResponse(parts)) return parts
  const named = JSON.stringify(requireParts(parts))
  return { key: hash([KEY_VERSION, scope, 'parts', named]), named }
}

const hash = (facts: unknown[]): string =>
  createHash('sha256').update(JSON.stringify(facts)).digest('base64url')

/** Text and numbers stay apart: 1 is not "1". */
function requireParts(parts: KeyParts): [kind: string, text: string][] {
  if (!Array.isArray(parts) || parts.length === 0 || !parts.every(isPart))
    throw new IdempotencyUsageError(
      'keyFrom must give an array of what names the operation: texts that are not empty, whole numbers, bigints; ' +
        'never a time, which would make another operation of a late retry',
    )
  return parts.map((part) => [typeof part === 'string' ? 'text' : 'number', String(part)])
}

const isPart = (part: unknown): boolean =>
  typeof part === 'bigint' || (typeof part === 'string' ? part !== '' : Number.isSafeInteger(part))

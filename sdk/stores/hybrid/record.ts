import { createHash } from 'node:crypto'
import type { Completed, StoredResponse } from '../store'

export type CachedRecord = Completed &
  StoredResponse & { fingerprint: Uint8Array; fence: bigint; attempt: number; traceId: string | null }

/** Where the cache keeps the record of a key. */
export const cacheNameOf = (prefix: string, { scope, key }: { scope: string; key: string }): string =>
  `${prefix}${scope.length}:${scope}:${key}`

const MAGIC = Buffer.from('idem1')
const HASH_BYTES = 16
const HEAD_AT = MAGIC.length + HASH_BYTES + 4

type Head = {
  fingerprint: string
  fence: string
  attempt: number
  traceId: string | null
  createdMs: number
  expiresMs: number
  status: number
  headers: [string, string][]
}

/** `idem1`, a hash of name and all that follows, the length of the head, the head as JSON, the body. */
export function encodeRecord(name: string, record: CachedRecord): Buffer {
  const head: Head = {
    fingerprint: Buffer.from(record.fingerprint).toString('hex'),
    fence: String(record.fence),
    attempt: record.attempt,
    traceId: record.traceId,
    createdMs: record.createdAt.getTime(),
    expiresMs: record.expiresAt.getTime(),
    status: record.status,
    headers: record.headers,
  }
  const json = Buffer.from(JSON.stringify(head))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(json.length)
  const content = Buffer.concat([length, json, record.body])
  return Buffer.concat([MAGIC, hashOf(name, content), content])
}

/** Null = it is not what this SDK wrote under this name, to the last byte. */
export function decodeRecord(name: string, value: Buffer): CachedRecord | null {
  if (value.length < HEAD_AT || !value.subarray(0, MAGIC.length).equals(MAGIC)) return null
  const content = value.subarray(MAGIC.length + HASH_BYTES)
  if (!value.subarray(MAGIC.length, MAGIC.length + HASH_BYTES).equals(hashOf(name, content))) return null
  const length = content.readUInt32BE()
  const head = JSON.parse(content.subarray(4, 4 + length).toString()) as Head
  return {
    fingerprint: Buffer.from(head.fingerprint, 'hex'),
    fence: BigInt(head.fence),
    attempt: head.attempt,
    traceId: head.traceId,
    createdAt: new Date(head.createdMs),
    expiresAt: new Date(head.expiresMs),
    status: head.status,
    headers: head.headers,
    body: new Uint8Array(content.subarray(4 + length)),
  }
}

const hashOf = (name: string, content: Buffer): Buffer =>
  createHash('sha256').update(name).update('\n').update(content).digest().subarray(0, HASH_BYTES)

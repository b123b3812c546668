import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { deflateRaw, inflateRaw } from 'node:zlib'
import type { AttributeValue } from '@aws-sdk/client-dynamodb'
import type { Holder } from '../store'
import type { TableDatabase } from './database'
import { bytes, isAbsent, num } from './expression'
import type { KeyItem, StoredBody } from './item'
import { PART_BYTES, partitionOf, partKeyOf } from './layout'

const deflate = promisify(deflateRaw)
const inflate = promisify(inflateRaw)

/** Below, a write costs one unit anyway. */
const COMPRESS_BYTES_MIN = 1_024

/** A smaller body is a cheaper write: a unit a kilobyte. */
async function pack(body: Uint8Array): Promise<{ packed: Uint8Array; rawBytes: number | null }> {
  if (body.byteLength <= COMPRESS_BYTES_MIN) return { packed: body, rawBytes: null }
  const compressed = await deflate(body)
  // Images and the like only grow.
  return compressed.byteLength < body.byteLength
    ? { packed: compressed, rawBytes: body.byteLength }
    : { packed: body, rawBytes: null }
}

const hashOf = (packed: Uint8Array): Uint8Array =>
  createHash('sha256').update(packed).digest().subarray(0, 16)

/**
 * What a completion sets for this body. A large one is written in parts before, under the holder's own fence: whoever
 * dies in between, or turns out to be stale, leaves parts that nobody refers to and that expire.
 */
export async function writeBody(
  db: TableDatabase,
  holder: Holder,
  body: Uint8Array,
  ttl: number,
): Promise<[string, AttributeValue][]> {
  if (body.byteLength === 0) return []
  const { packed, rawBytes } = await pack(body)
  const size: [string, AttributeValue][] = rawBytes === null ? [] : [['z', num(rawBytes)]]
  if (packed.byteLength <= PART_BYTES) return [['b', bytes(packed)], ...size]
  const count = Math.ceil(packed.byteLength / PART_BYTES)
  await Promise.all(
    Array.from({ length: count }, (_, part) =>
      db.update(partKeyOf(partitionOf(holder), holder.fence, part), {
        // Said again after a lost reply, it is there already.
        when: isAbsent('pk'),
        set: [
          ['b', bytes(packed.subarray(part * PART_BYTES, (part + 1) * PART_BYTES))],
          ['ttl', num(ttl)],
        ],
      }),
    ),
  )
  return [...size, ['m', num(count)], ['g', bytes(hashOf(packed))]]
}

/** Throws when a part is missing or was changed: an answer that is not the first one is worse than none. */
export async function readBody(
  db: Pick<TableDatabase, 'get'>,
  pk: string,
  item: KeyItem,
): Promise<Uint8Array> {
  const packed = await readPacked(db, pk, item, item.body)
  const { rawBytes } = item.body
  return rawBytes === null ? packed : new Uint8Array(await inflate(packed, { maxOutputLength: rawBytes }))
}

async function readPacked(
  db: Pick<TableDatabase, 'get'>,
  pk: string,
  { fence }: KeyItem,
  { bytes: whole, parts }: StoredBody,
): Promise<Uint8Array> {
  if (parts === null) return whole
  const read = await Promise.all(
    Array.from({ length: parts.count }, (_, part) => db.get(partKeyOf(pk, fence, part))),
  )
  const packed = Buffer.concat(read.map((part) => part?.b?.B ?? new Uint8Array()))
  if (!Buffer.from(parts.hash).equals(hashOf(packed)))
    throw new Error(
      `the stored body of ${pk} is damaged: not all of its ${parts.count} parts are as they were written`,
    )
  return packed
}

import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { z } from 'zod'
import type { SystemContext } from '@/lib/context'
import { env } from '@/lib/env'
import type { ExpiredRow } from '@/lib/sources/contracts'

/** 16 bytes of digest, 6 of the member's place, 6 of its length. */
export const INDEX_ENTRY_BYTES = 28
/** Archives of one source that one look-up reads, the newest first. */
const ARCHIVES_MAX = 5_000
const MEMBER_BYTES_MAX = 256 * 1024 * 1024

export const keyDigest = (scope: string, key: string): Buffer =>
  createHash('sha256').update(`${scope}\u001f${key}`).digest().subarray(0, 16)

export const expiredRowSchema = z.object({
  scope: z.string(),
  key: z.string(),
  createdAt: z.string(),
  expiresAt: z.string(),
  row: z.record(z.string(), z.unknown()),
})

export type ArchivedKey = { archiveId: string; archivedAt: string; file: string } & ExpiredRow

/** A key's lives in the archives of its source: a binary search in each file's index, one member unpacked for a hit. */
export async function findArchived(
  ctx: Pick<SystemContext, 'db'>,
  identity: { sourceId: string; scope: string; key: string },
): Promise<ArchivedKey[]> {
  const archives = await ctx.db.prisma.archive.findMany({
    where: { sourceId: identity.sourceId },
    orderBy: { at: 'desc' },
    take: ARCHIVES_MAX,
  })
  const folder = join(env().IDEMSCOPE_DATA_DIR, 'archive', identity.sourceId)
  const digest = keyDigest(identity.scope, identity.key)
  const found = new Map<string, ArchivedKey>()
  for (const archive of archives) {
    const places = await lookUp(join(folder, `${archive.file}.index`), digest)
    for (const place of places) {
      for (const row of await readMember(join(folder, archive.file), place)) {
        if (row.scope !== identity.scope || row.key !== identity.key) continue
        // A run that died between writing and collecting archives the same rows again: one life is shown once.
        found.set(row.createdAt, {
          ...row,
          archiveId: archive.id,
          archivedAt: archive.at.toISOString(),
          file: archive.file,
        })
      }
    }
  }
  return [...found.values()]
}

type Place = { offset: number; length: number }

async function lookUp(file: string, digest: Buffer): Promise<Place[]> {
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (handle === null) return []
  try {
    const { size } = await handle.stat()
    const count = Math.floor(size / INDEX_ENTRY_BYTES)
    let [low, high] = [0, count]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (Buffer.compare((await entryAt(handle, middle)).subarray(0, 16), digest) < 0) low = middle + 1
      else high = middle
    }
    const places = new Map<number, Place>()
    for (let at = low; at < count; at++) {
      const entry = await entryAt(handle, at)
      if (!entry.subarray(0, 16).equals(digest)) break
      const offset = entry.readUIntBE(16, 6)
      places.set(offset, { offset, length: entry.readUIntBE(22, 6) })
    }
    return [...places.values()]
  } finally {
    await handle.close()
  }
}

async function entryAt(handle: FileHandle, place: number): Promise<Buffer> {
  const { buffer } = await handle.read(
    Buffer.alloc(INDEX_ENTRY_BYTES),
    0,
    INDEX_ENTRY_BYTES,
    place * INDEX_ENTRY_BYTES,
  )
  return buffer
}

async function readMember(file: string, { offset, length }: Place): Promise<ExpiredRow[]> {
  const handle = await open(file, 'r')
  try {
    const { buffer } = await handle.read(Buffer.alloc(length), 0, length, offset)
    const text = await promisify(gunzip)(buffer, { maxOutputLength: MEMBER_BYTES_MAX })
    return parseLines(text)
  } finally {
    await handle.close()
  }
}

export const parseLines = (text: Buffer): ExpiredRow[] =>
  text
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => expiredRowSchema.parse(JSON.parse(line)))

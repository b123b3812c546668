import { createHash } from 'node:crypto'
import { mkdir, open, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { SystemContext } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import { env } from '@/lib/env'
import type { ExpiredRow } from '@/lib/sources/contracts'
import { INDEX_ENTRY_BYTES, keyDigest } from './find'

/** A member of the gzip file: what one look-up has to unpack. */
const MEMBER_ROWS = 500
const FORMAT = 1

export const archiveFolder = (sourceId: string): string => join(env().IDEMSCOPE_DATA_DIR, 'archive', sourceId)

/**
 * Writes rows as NDJSON in gzip members, with an index and a manifest, durably, and notes the archive. Only then may
 * the rows be collected. The manifest comes last: a file without one is of a run that died, and counts for nothing.
 */
export async function writeArchive(
  ctx: Pick<SystemContext, 'db' | 'clock'>,
  target: { sourceId: string; runId: string; adapter: string },
  rows: readonly ExpiredRow[],
): Promise<{ id: string; bytes: number }> {
  const folder = archiveFolder(target.sourceId)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const id = newId('arc')
  const { data, index } = await pack(rows)
  const sha256 = createHash('sha256').update(data).digest('hex')
  const at = ctx.clock.now()
  const file = `${at.toISOString().slice(0, 10)}-${id}.ndjson.gz`
  const manifest = {
    format: FORMAT,
    id,
    ...target,
    file,
    rows: rows.length,
    bytes: data.length,
    sha256,
    indexSha256: createHash('sha256').update(index).digest('hex'),
    createdFrom: extreme(rows, 'createdAt', -1),
    createdTo: extreme(rows, 'createdAt', 1),
    at: at.toISOString(),
  }
  await writeDurably(folder, file, data)
  await writeDurably(folder, `${file}.index`, index)
  await writeDurably(folder, `${file}.manifest.json`, Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`))
  await ctx.db.prisma.archive.create({
    data: {
      id,
      sourceId: target.sourceId,
      runId: target.runId,
      at,
      file,
      rows: rows.length,
      bytes: BigInt(data.length),
      sha256,
    },
  })
  return { id, bytes: data.length }
}

/** Members one behind the other, and for each key its digest and the place of its member, sorted by digest. */
async function pack(rows: readonly ExpiredRow[]): Promise<{ data: Buffer; index: Buffer }> {
  const members: Buffer[] = []
  const entries: Buffer[] = []
  let offset = 0
  for (let start = 0; start < rows.length; start += MEMBER_ROWS) {
    const part = rows.slice(start, start + MEMBER_ROWS)
    const member = await promisify(gzip)(part.map((row) => `${JSON.stringify(row)}\n`).join(''))
    for (const { scope, key } of part) {
      const entry = Buffer.alloc(INDEX_ENTRY_BYTES)
      keyDigest(scope, key).copy(entry)
      entry.writeUIntBE(offset, 16, 6)
      entry.writeUIntBE(member.length, 22, 6)
      entries.push(entry)
    }
    members.push(member)
    offset += member.length
  }
  return { data: Buffer.concat(members), index: Buffer.concat(entries.sort(Buffer.compare)) }
}

async function writeDurably(folder: string, name: string, data: Buffer): Promise<void> {
  const part = join(folder, `${name}.part`)
  await writeFile(part, data, { mode: 0o600, flush: true })
  await rename(part, join(folder, name))
  const directory = await open(folder, 'r')
  await directory.sync().finally(() => directory.close())
}

function extreme(rows: readonly ExpiredRow[], field: 'createdAt', direction: 1 | -1): string | null {
  const sorted = rows.map((row) => row[field]).sort()
  return (direction === 1 ? sorted.at(-1) : sorted[0]) ?? null
}

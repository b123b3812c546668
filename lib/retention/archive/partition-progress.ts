import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { archiveFolder } from './write'

/** How far a partition is in the archive. Beside the archives: it says nothing without them. */
const progressSchema = z.object({
  partition: z.string(),
  /** Where the next page begins; null = all of it is archived. */
  position: z.string().nullable(),
  archives: z.array(z.string()),
})
export type PartitionProgress = z.infer<typeof progressSchema>

// A partition's name is schema.table, quoted where needed: never a path.
const fileOf = (sourceId: string, partition: string): string =>
  join(archiveFolder(sourceId), `partition-${Buffer.from(partition).toString('hex')}.json`)

/** Null = nothing of this partition was archived, or its note cannot be read: then it is archived again, which is harmless. */
export async function readPartitionProgress(
  sourceId: string,
  partition: string,
): Promise<PartitionProgress | null> {
  const text = await readFile(fileOf(sourceId, partition), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 'null'
    throw error
  })
  return progressSchema.nullable().catch(null).parse(parsed(text))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not as it was written: the partition is archived from its beginning.
    return null
  }
}

/** After the page's archive was written durably, never before. */
export async function notePartitionProgress(sourceId: string, progress: PartitionProgress): Promise<void> {
  const file = fileOf(sourceId, progress.partition)
  await mkdir(archiveFolder(sourceId), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.part`, JSON.stringify(progress), { mode: 0o600, flush: true })
  await rename(`${file}.part`, file)
}

export const forgetPartitionProgress = (sourceId: string, partition: string): Promise<void> =>
  rm(fileOf(sourceId, partition), { force: true })

import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { archiveFolder } from './write'

/** How far a leaf is in the archive. Beside the archives: it says nothing without them. */
const progressSchema = z.object({
  leaf: z.string(),
  /** Where the next page begins; null = all of it is archived. */
  position: z.string().nullable(),
  archives: z.array(z.string()),
})
export type LeafProgress = z.infer<typeof progressSchema>

// A leaf's name is schema.table, quoted where needed: never a path.
const fileOf = (sourceId: string, leaf: string): string =>
  join(archiveFolder(sourceId), `leaf-${Buffer.from(leaf).toString('hex')}.json`)

/** Null = nothing of this leaf was archived, or its note cannot be read: then it is archived again, which is harmless. */
export async function readLeafProgress(sourceId: string, leaf: string): Promise<LeafProgress | null> {
  const text = await readFile(fileOf(sourceId, leaf), 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return 'null'
    throw error
  })
  return progressSchema.nullable().catch(null).parse(parsed(text))
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

/** After the page's archive was written durably, never before. */
export async function noteLeafProgress(sourceId: string, progress: LeafProgress): Promise<void> {
  const file = fileOf(sourceId, progress.leaf)
  await mkdir(archiveFolder(sourceId), { recursive: true, mode: 0o700 })
  await writeFile(`${file}.part`, JSON.stringify(progress), { mode: 0o600, flush: true })
  await rename(`${file}.part`, file)
}

export const forgetLeafProgress = (sourceId: string, leaf: string): Promise<void> =>
  rm(fileOf(sourceId, leaf), { force: true })

import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { readIfThere } from './read-if-there'

const saved = z.object({ runs: z.int().min(0) })

/**
 * Counts the runs on this data. The first run's operations depend on the seed alone; a later run must not repeat
 * their keys and references, which would be duplicates, so its number is part of its seed.
 */
export async function nextSeed(dataDir: string, seed: string): Promise<string> {
  const path = join(dataDir, 'run.json')
  const text = (await readIfThere(path)) ?? '{"runs":0}'
  const { runs } = saved.parse(JSON.parse(text))
  await writeFile(`${path}.new`, JSON.stringify({ runs: runs + 1 }))
  await rename(`${path}.new`, path)
  return runs === 0 ? seed : `${seed}/run-${runs}`
}

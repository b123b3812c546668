import { mkdir, open, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Change } from './objects'

export interface Journal {
  /** Resolves once the change is on disk. Calls must not overlap. */
  append(change: Change): Promise<void>
  close(): Promise<void>
}

/**
 * A file with one change a line. A line that a crash tore was never answered for, so it is cut off at the start;
 * a bad line before the last one is damage, and stops the start.
 */
export async function openJournal(path: string, apply: (change: Change) => void): Promise<Journal> {
  await mkdir(dirname(path), { recursive: true })
  const handle = await open(path, 'a+')
  const bytes = await readFile(path)
  const wholeBytes = bytes.lastIndexOf(0x0a) + 1
  if (wholeBytes < bytes.length) await handle.truncate(wholeBytes)
  let start = 0
  while (start < wholeBytes) {
    const end = bytes.indexOf(0x0a, start)
    apply(JSON.parse(bytes.toString('utf8', start, end)) as Change)
    start = end + 1
  }
  return {
    async append(change) {
      await handle.appendFile(`${JSON.stringify(change)}\n`)
      await handle.datasync()
    },
    async close() {
      await handle.close()
    },
  }
}

import { chmodSync, existsSync, mkdtempSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Linux keeps what lies here in memory. */
const IN_MEMORY = '/dev/shm'
/** The cluster of a whole test run takes about 2 GiB with its write-ahead log. */
const ROOM_BYTES = 4 * 2 ** 30

/**
 * A new folder for a cluster that a test throws away. It lies in memory where there is room and TMPDIR names no other
 * place: a new database is some 300 files, which take ten times as long on a disk.
 */
export function makeThrowAwayFolder(name: string): string {
  const place = process.env.TMPDIR === undefined && hasRoom() ? IN_MEMORY : tmpdir()
  const folder = mkdtempSync(join(place, `idemscope-${name}-`))
  // As root the server runs as another user, who must be able to enter the folder.
  chmodSync(folder, 0o755)
  return folder
}

function hasRoom(): boolean {
  if (!existsSync(IN_MEMORY)) return false
  const { bavail, bsize } = statfsSync(IN_MEMORY)
  return Math.min(bavail * bsize, process.availableMemory()) >= ROOM_BYTES
}

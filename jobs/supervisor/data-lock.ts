import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '@/lib/core/errors'

type Holder = { pid: number; startTicks: string; since: string; console: string }

/**
 * Takes the data folder for this process: two supervisors on one cluster would destroy it. A lock whose process is
 * gone is taken over. Throws `conflict` and says who holds it. Returns the release.
 */
export function lockDataFolder(folder: string, consoleUrl: string, now: Date): () => void {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'lock.json')
  const mine: Holder = {
    pid: process.pid,
    startTicks: startTicks(process.pid),
    since: now.toISOString(),
    console: consoleUrl,
  }
  for (let tries = 0; tries < 3; tries++) {
    try {
      writeFileSync(path, JSON.stringify(mine), { flag: 'wx', mode: 0o600 })
      return () => rmSync(path, { force: true })
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cause
      const holder = readHolder(path)
      if (holder !== undefined && startTicks(holder.pid) === holder.startTicks) {
        throw new AppError(
          'conflict',
          `${folder} is in use by process ${holder.pid} since ${holder.since} (console ${holder.console}). Stop it, or set IDEMSCOPE_DATA_DIR to another folder.`,
        )
      }
      rmSync(path, { force: true })
    }
  }
  throw new AppError(
    'conflict',
    `${folder} is being taken by several processes at once. Start one of them again.`,
  )
}

function readHolder(path: string): Holder | undefined {
  if (!existsSync(path)) return undefined
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch {
    // Half a file: its writer died in the middle.
    return undefined
  }
}

/** When the process started, in the kernel's ticks: tells it from a later one with the same pid. '' when it is gone. */
function startTicks(pid: number): string {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return 'alive'
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    // No such process.
    return ''
  }
}

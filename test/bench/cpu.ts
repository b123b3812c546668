import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts at 100 ticks a second. */
const TICKS = 100

/** Fields of /proc/PID/stat after the command; empty when the process is gone. */
function statOf(pid: number | string): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text
      .slice(text.lastIndexOf(')') + 2)
      .split(' ')
      .map(Number)
  } catch {
    return []
  }
}

/** User and system time of one process. */
export function cpuSecondsOf(pid: number): number {
  const [, , , , , , , , , , , user = 0, system = 0] = statOf(pid)
  return (user + system) / TICKS
}

/** Of a process, its ended children and its living ones. */
export function cpuSecondsOfFamily(pid: number): number {
  const [, , , , , , , , , , , user = 0, system = 0, endedUser = 0, endedSystem = 0] = statOf(pid)
  let ticks = user + system + endedUser + endedSystem
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const [, parent, , , , , , , , , , childUser = 0, childSystem = 0] = statOf(entry)
    if (parent === pid) ticks += childUser + childSystem
  }
  return ticks / TICKS
}

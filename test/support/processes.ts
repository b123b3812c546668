import { readdirSync, readFileSync } from 'node:fs'

export type ProcessFacts = { pid: number; name: string; residentMib: number }

/** Every process of a start: its data folder is in their environment or command line. Linux. */
export function processesOf(folder: string): ProcessFacts[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .flatMap((entry) => {
      const about = (file: string) => {
        try {
          return readFileSync(`/proc/${entry}/${file}`, 'utf8')
        } catch {
          // It ended between the two looks.
          return ''
        }
      }
      const command = about('cmdline').replaceAll('\0', ' ').trim()
      if (!command.includes(folder) && !about('environ').includes(folder)) return []
      const residentKib = Number(/VmRSS:\s+(\d+)/.exec(about('status'))?.[1] ?? 0)
      return [{ pid: Number(entry), name: command, residentMib: Math.round(residentKib / 1024) }]
    })
}

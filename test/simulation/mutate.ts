import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { MUTATIONS, type Mutation } from './mutations'

const root = resolve(import.meta.dirname, '../..')
const COPIED = [
  'app',
  'lib',
  'sdk',
  'jobs',
  'demo',
  'prisma',
  'test',
  'docs',
  'package.json',
  'tsconfig.json',
  'vitest.config.ts',
]
const CHECK_MS_MAX = 600_000

/** Breaks each thing in a copy of the tree and says what was red. Returns how many went unnoticed. */
export async function runMutations({ skip = 0, take = MUTATIONS.length }): Promise<number> {
  for (const mutation of MUTATIONS) readMutated(root, mutation)
  const chosen = MUTATIONS.slice(skip, skip + take)
  const copy = mkdtempSync(join(tmpdir(), 'idemscope-mutation-'))
  let missed = 0
  try {
    for (const name of COPIED)
      cpSync(join(root, name), join(copy, name), { recursive: true, force: true, errorOnExist: false })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    for (const caughtBy of new Set(chosen.map((mutation) => mutation.caughtBy))) {
      // What is red anyhow would catch everything.
      if ((await check(copy, caughtBy)) !== 0)
        throw new Error(`${nameOf(caughtBy)} is red without any breakage`)
    }
    for (const mutation of chosen) {
      const path = join(copy, mutation.file)
      const before = readFileSync(path, 'utf8')
      writeFileSync(path, readMutated(root, mutation))
      const caught = (await check(copy, mutation.caughtBy)) !== 0
      writeFileSync(path, before)
      if (!caught) missed += 1
      console.log(`${caught ? 'caught' : 'MISSED'}  ${mutation.name}  (${nameOf(mutation.caughtBy)})`)
    }
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
  console.log(`${chosen.length - missed} of ${chosen.length} breakages were caught`)
  return missed
}

/** Throws when the text is not there any more: the list has to follow the code. */
function readMutated(tree: string, { name, file, find, replace }: Mutation): string {
  const text = readFileSync(join(tree, file), 'utf8')
  if (!text.includes(find)) throw new Error(`${name}: ${file} does not contain ${JSON.stringify(find)}`)
  return text.replace(find, () => replace)
}

const nameOf = (caughtBy: Mutation['caughtBy']): string =>
  typeof caughtBy === 'string' ? caughtBy : `seeds ${caughtBy.from} to ${caughtBy.from + caughtBy.seeds - 1}`

function check(cwd: string, caughtBy: Mutation['caughtBy']): Promise<number> {
  const [program, ...args] =
    typeof caughtBy === 'string'
      ? [join(root, 'node_modules/.bin/vitest'), 'run', '--bail=1', caughtBy]
      : [
          ...[
            process.execPath,
            '--import',
            'tsx',
            'test/simulation/main.ts',
            '--as-found',
            '--processes',
            '1',
          ],
          ...['--from', String(caughtBy.from), '--seeds', String(caughtBy.seeds)],
        ]
  return new Promise((done) => {
    const child = spawn(program as string, args, { cwd, stdio: 'ignore', timeout: CHECK_MS_MAX })
    child.once('exit', (code) => done(code ?? 1))
  })
}

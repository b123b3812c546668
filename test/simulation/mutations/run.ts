import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { z } from 'zod'
import { stopFirst } from '../stop-first'
import { MUTATIONS, type Mutation } from './list'

const root = resolve(import.meta.dirname, '../../..')
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
  'vitest.each.ts',
]
const CHECK_MS_MAX = 600_000

/** Breaks each thing in a copy of the tree and says which test was red. Returns how many went unnoticed. */
export async function runMutations({ skip = 0, take = MUTATIONS.length }): Promise<number> {
  for (const mutation of MUTATIONS) readMutated(root, mutation)
  const chosen = MUTATIONS.slice(skip, skip + take)
  const copy = mkdtempSync(join(tmpdir(), 'idemscope-mutation-'))
  // As root, PostgreSQL runs as another user, who must be able to enter.
  chmodSync(copy, 0o755)
  const remove = async () => {
    if (running?.kill()) await once(running, 'exit')
    await endClusters(join(copy, 'tmp'))
    rmSync(copy, { recursive: true, force: true })
  }
  return stopFirst(remove, async () => {
    try {
      return await breakEach(copy, chosen)
    } finally {
      await remove()
    }
  })
}

async function breakEach(copy: string, chosen: readonly Mutation[]): Promise<number> {
  for (const name of COPIED) cpSync(join(root, name), join(copy, name), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
  mkdirSync(join(copy, 'tmp'))
  chmodSync(join(copy, 'tmp'), 0o1777)
  await demandGreen(copy, [...new Set(chosen.map(({ caughtBy }) => caughtBy))])
  let missed = 0
  for (const mutation of chosen) {
    const path = join(copy, mutation.file)
    const before = readFileSync(path, 'utf8')
    writeFileSync(path, readMutated(copy, mutation))
    const red = await check(copy, mutation.caughtBy)
    writeFileSync(path, before)
    if (red === null) missed += 1
    const where = `${nameOf(mutation.caughtBy)}: ${red ?? 'green'}`
    console.log(`${red === null ? 'MISSED' : 'caught'}  ${mutation.name}  (${where})`)
  }
  console.log(`${chosen.length - missed} of ${chosen.length} breakages were caught`)
  return missed
}

/** What is red anyhow would catch everything. */
async function demandGreen(copy: string, checks: readonly Mutation['caughtBy'][]): Promise<void> {
  const files = checks.filter((caughtBy) => typeof caughtBy === 'string')
  for (const file of files) if (!existsSync(join(copy, file))) throw new Error(`there is no ${file}`)
  const red = files.length === 0 ? null : await runTests(copy, files)
  if (red !== null) throw new Error(`red without any breakage: ${red}`)
  for (const caughtBy of checks)
    if (typeof caughtBy !== 'string' && (await check(copy, caughtBy)) !== null)
      throw new Error(`${nameOf(caughtBy)} are red without any breakage`)
}

/** Throws when the text is not there any more: the list has to follow the code. */
function readMutated(tree: string, { name, file, within, find, replace }: Mutation): string {
  const text = readFileSync(join(tree, file), 'utf8')
  const from = within === undefined ? 0 : text.indexOf(`FUNCTION ${within}(`)
  const at = from === -1 ? -1 : text.indexOf(find, from)
  if (at === -1) throw new Error(`${name}: ${file} does not contain ${JSON.stringify(find)}`)
  return text.slice(0, at) + replace + text.slice(at + find.length)
}

const nameOf = (caughtBy: Mutation['caughtBy']): string =>
  typeof caughtBy === 'string' ? caughtBy : `seeds ${caughtBy.from} to ${caughtBy.from + caughtBy.seeds - 1}`

const reportSchema = z.object({
  testResults: z.array(
    z.object({ assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })) }),
  ),
})

/** The test that is red, or which seeds; null = all green. */
async function check(cwd: string, caughtBy: Mutation['caughtBy']): Promise<string | null> {
  if (typeof caughtBy === 'string') return runTests(cwd, [caughtBy])
  const play = ['--import', 'tsx', 'test/simulation/main.ts', '--as-found', '--processes', '1']
  const seeds = ['--from', String(caughtBy.from), '--seeds', String(caughtBy.seeds)]
  return (await run(cwd, process.execPath, [...play, ...seeds])) === 0 ? null : nameOf(caughtBy)
}

/** The first test that is red. Throws when none could run: whatever breaks the syntax of a file would count as caught. */
async function runTests(cwd: string, files: readonly string[]): Promise<string | null> {
  const outputFile = join(cwd, 'report.json')
  rmSync(outputFile, { force: true })
  const vitest = join(root, 'node_modules/.bin/vitest')
  const options = ['--bail=1', '--maxWorkers=1', '--reporter=json', `--outputFile=${outputFile}`]
  if ((await run(cwd, vitest, ['run', ...options, ...files])) === 0) return null
  const { testResults } = reportSchema.parse(JSON.parse(readFileSync(outputFile, 'utf8')))
  const red = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed')
  if (red === undefined) throw new Error(`${files} did not come to a test`)
  return red.fullName
}

let running: ChildProcess | undefined

async function run(cwd: string, program: string, args: readonly string[]): Promise<number> {
  const env = { ...process.env, TMPDIR: join(cwd, 'tmp') }
  const child = spawn(program, args, { cwd, env, stdio: 'ignore', timeout: CHECK_MS_MAX })
  running = child
  const code = await new Promise<number>((done) => child.once('exit', (code) => done(code ?? 1)))
  running = undefined
  await endClusters(env.TMPDIR)
  return code
}

/** Vitest that is ended by a signal, or by the timeout, leaves its cluster behind. */
async function endClusters(folder: string): Promise<void> {
  for (const name of existsSync(folder) ? readdirSync(folder) : []) {
    const file = join(folder, name, 'postgres', 'postmaster.pid')
    if (!existsSync(file)) continue
    process.kill(Number(readFileSync(file, 'utf8').split('\n')[0]), 'SIGINT')
    // The server removes it last.
    while (existsSync(file)) await setTimeout(50)
  }
}

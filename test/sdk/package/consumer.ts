import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { ownNode } from '../../support/own-node'

const execute = promisify(execFile)

/** Runs a program to its end, with the Node that runs the tests. */
export const run = (
  command: string,
  args: string[],
  { cwd, env, timeout = 0 }: { cwd?: string; env?: NodeJS.ProcessEnv; timeout?: number } = {},
) => execute(command, args, { cwd, env: ownNode(env), timeout })

/** Installing from the registry takes seconds, but nobody promises how many. */
export const INSTALL_MS_MAX = 240_000

export type Consumer = {
  folder: string
  tarball: { path: string; bytes: number }
  remove: () => Promise<void>
}

/** The SDK as it is published, packed into a folder. It is built there: test files run at the same time, and `sdk/dist` is one. */
export async function packSdk(folder: string): Promise<Consumer['tarball']> {
  const source = join(folder, 'sdk-to-pack')
  for (const name of ['package.json', 'README.md', 'LICENSE'])
    await cp(join('sdk', name), join(source, name), { recursive: true })
  await run('node', [resolve('sdk/build.mjs'), join(source, 'dist')])
  const pack = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const packed = await run('npm', pack, { cwd: source })
  await rm(source, { recursive: true })
  const [{ filename, size }] = JSON.parse(packed.stdout.slice(packed.stdout.indexOf('[')))
  return { path: join(folder, filename), bytes: size }
}

/** An empty project with the packed SDK, and packages in the versions that this repository uses. */
export async function createConsumer(packages: readonly string[]): Promise<Consumer> {
  const folder = await mkdtemp(join(tmpdir(), 'idemscope-package-'))
  const tarball = await packSdk(folder)
  const { devDependencies, dependencies } = JSON.parse(await readFile('package.json', 'utf8'))
  const versions = packages.map((name) => `${name}@${{ ...devDependencies, ...dependencies }[name]}`)
  const project = { name: 'consumer', private: true, type: 'module' }
  await writeFile(join(folder, 'package.json'), JSON.stringify(project))
  const install = ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball.path, ...versions]
  // A request that hangs is asked again; and what is too late does not outlive its test.
  const patience = ['--fetch-timeout=30000', '--fetch-retries=4']
  await run('npm', [...install, ...patience], { cwd: folder, timeout: INSTALL_MS_MAX - 5_000 })
  return {
    folder,
    tarball,
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}

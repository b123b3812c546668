// Builds the package into sdk/dist, run by `npm pack` and `npm publish` (prepack). The code is there once, as CommonJS, file
// by file; each entry point has an ES module that hands on its names. So a process that both imports and requires the
// package has one of each class and one of each counter. Source maps lead to the file and line of this repository, whose
// sources are not in the package.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { decode, encode } from '@jridgewell/sourcemap-codec'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, 'dist')
const cjs = join(dist, 'cjs')

const filesIn = (folder, end) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end) && !name.startsWith('dist') && !name.includes('node_modules'))
    .map((name) => join(folder, name))

/** `stores/redis` of `./dist/esm/stores/redis.js`. */
const entryPoints = Object.values(JSON.parse(readFileSync(join(here, 'package.json'), 'utf8')).exports)
  .filter((target) => typeof target !== 'string')
  .map((target) => target.import.default.replace(/^\.\/dist\/esm\/|\.js$/g, ''))

function write(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
}

const change = (path, edit) => writeFileSync(path, edit(readFileSync(path, 'utf8')))

/** A line leads to a line: where on it takes twice the room. */
function shortenMap(text) {
  const { version, sources, mappings } = JSON.parse(text)
  const lines = decode(mappings).map((segments) => segments.slice(0, 1).map((segment) => segment.slice(0, 4)))
  return JSON.stringify({ version, sources, names: [], mappings: encode(lines) })
}

async function buildCommonJs(sources) {
  await build({
    entryPoints: sources,
    outdir: cjs,
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // Of the one file that is written anew below.
    logOverride: { 'empty-import-meta': 'silent' },
    sourcemap: true,
    sourcesContent: false,
  })
  for (const file of filesIn(cjs, '.map')) change(file, shortenMap)
  const migrations = join(here, 'migrations')
  const files = readdirSync(migrations)
    .sort()
    .map((name) => ({ name, sql: readFileSync(join(migrations, name), 'utf8') }))
  const own = join(cjs, 'stores/postgres/own-migrations.js')
  writeFileSync(own, `"use strict"\nexports.ownMigrations = async () => ${JSON.stringify(files, null, 1)}\n`)
  rmSync(`${own}.map`)
}

function declare(sources) {
  const options = [
    ...['--target', 'ES2023', '--module', 'ESNext', '--moduleResolution', 'Bundler', '--skipLibCheck'],
    ...['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--stripInternal'],
    ...['--lib', 'ES2023,ES2024.String,DOM,DOM.Iterable,ESNext.Disposable', '--types', 'node'],
    ...['--declaration', '--emitDeclarationOnly', '--ignoreConfig', '--rootDir', here, '--outDir', cjs],
  ]
  const tsc = resolve(here, '../node_modules/typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, ...options, ...sources], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
  const reached = new Set()
  const reach = (file) => {
    if (reached.has(file)) return
    reached.add(file)
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"](\.[^'"]+)['"]/g))
      reach(join(dirname(file), `${name}.d.ts`))
  }
  for (const name of entryPoints) reach(join(cjs, `${name}.d.ts`))
  for (const file of filesIn(cjs, '.d.ts')) if (!reached.has(file)) rmSync(file)
}

/** The names that an entry point exports, as a bundler sees them: those of types are none. */
async function namesOf(entry) {
  const { metafile } = await build({
    entryPoints: [join(here, `${entry}.ts`)],
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    metafile: true,
    write: false,
  })
  return Object.values(metafile.outputs)[0].exports
}

async function handOn(entry) {
  const from = relative(join(dist, 'esm', dirname(entry)), join(cjs, entry))
  write(
    join(dist, 'esm', `${entry}.js`),
    `export { ${(await namesOf(entry)).join(', ')} } from '${from}.js'\n`,
  )
  write(join(dist, 'esm', `${entry}.d.ts`), `export * from '${from}.js'\n`)
}

rmSync(dist, { recursive: true, force: true })
const sources = filesIn(here, '.ts')
await buildCommonJs(sources)
declare(sources)
await Promise.all(entryPoints.map(handOn))
for (const [folder, type] of [
  ['cjs', 'commonjs'],
  ['esm', 'module'],
])
  write(join(dist, folder, 'package.json'), `${JSON.stringify({ type }, null, 2)}\n`)

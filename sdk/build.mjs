// Builds the package into sdk/dist: ES modules and CommonJS, each with declarations, file by file, so that every entry
// point shares its modules with the others. The code is not minified: source maps to files that are not in the package would
// be a third of it and lead nowhere. Run by `npm pack` and `npm publish` (prepack).
import { spawnSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = dirname(fileURLToPath(import.meta.url))
const dist = join(here, 'dist')

const filesIn = (folder, end) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end) && !name.startsWith('dist') && !name.includes('node_modules'))
    .map((name) => join(folder, name))

rmSync(dist, { recursive: true, force: true })
const sources = filesIn(here, '.ts')

/** Node's own resolution, and TypeScript's node16, need the whole file name in a relative import of an ES module. */
function completeImports(folder, end) {
  for (const file of filesIn(folder, end)) {
    const text = readFileSync(file, 'utf8')
    const complete = text.replace(
      /((?:from|import)\s*\(?\s*)(["'])(\.{1,2}\/[^"']+)\2/g,
      (_, before, quote, name) => `${before}${quote}${name}.js${quote}`,
    )
    writeFileSync(file, complete)
  }
}

function declare(outDir) {
  const options = [
    ...['--target', 'ES2023', '--module', 'ESNext', '--moduleResolution', 'Bundler', '--skipLibCheck'],
    ...['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--stripInternal'],
    ...['--lib', 'ES2023,ES2024.String,DOM,DOM.Iterable,ESNext.Disposable', '--types', 'node'],
    ...['--declaration', '--emitDeclarationOnly', '--ignoreConfig', '--rootDir', here, '--outDir', outDir],
  ]
  const tsc = resolve(here, '../node_modules/typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, ...options, ...sources], { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}

/** Both formats read the one copy, which is a folder further away than from the sources. */
function shareMigrations(file) {
  const text = readFileSync(file, 'utf8')
  const shared = text.replace('../../migrations/', '../../../migrations/')
  if (shared === text) throw new Error(`${file} names no folder of migrations`)
  writeFileSync(file, shared)
}

const FORMATS = [
  { format: 'esm', type: 'module', options: {} },
  {
    format: 'cjs',
    type: 'commonjs',
    options: {
      define: { 'import.meta.url': 'importMetaUrl' },
      banner: { js: "const importMetaUrl = require('node:url').pathToFileURL(__filename).href;" },
    },
  },
]

for (const { format, type, options } of FORMATS) {
  const outdir = join(dist, format)
  await build({
    entryPoints: sources,
    outdir,
    format,
    platform: 'node',
    target: 'node20',
    ...options,
  })
  declare(outdir)
  if (format === 'esm') for (const end of ['.js', '.d.ts']) completeImports(outdir, end)
  writeFileSync(join(outdir, 'package.json'), `${JSON.stringify({ type }, null, 2)}\n`)
  shareMigrations(join(outdir, 'stores/postgres/migrate.js'))
}
cpSync(join(here, 'migrations'), join(dist, 'migrations'), { recursive: true })

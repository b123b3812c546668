// Builds the package into sdk/dist, run by `npm pack` and `npm publish` (prepack), or into the folder that is named. The code
// is there once, as CommonJS; each entry point has an ES module that hands on its names. So a process that both imports and
// requires the package has one of each class and one of each counter. Source maps lead to the file and line of this
// repository, whose sources are not in the package.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { buildChunks } from './build/chunks.mjs'
import { buildDeclarations } from './build/declarations.mjs'
import { ownMigrationsOf } from './build/migrations.mjs'

const source = dirname(fileURLToPath(import.meta.url))
const dist = resolve(process.argv[2] ?? join(source, 'dist'))

/** `stores/redis` of `./dist/esm/stores/redis.js`. */
const entryPoints = Object.values(JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')).exports)
  .filter((target) => typeof target !== 'string')
  .map((target) => target.import.default.replace(/^\.\/dist\/esm\/|\.js$/g, ''))
const sources = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
  (name) => name.endsWith('.ts') && !name.startsWith('dist') && !name.includes('node_modules'),
)

function write(path, text) {
  mkdirSync(dirname(join(dist, path)), { recursive: true })
  writeFileSync(join(dist, path), text)
}

rmSync(dist, { recursive: true, force: true })
const ownMigrations = ownMigrationsOf(join(source, 'migrations'))
const { files, exportsOf } = await buildChunks({ source, entryPoints, ownMigrations })
const declarations = buildDeclarations({ source, sources, entryPoints })
for (const [path, text] of [...files, ...declarations]) write(`cjs/${path}`, text)
for (const entry of entryPoints) {
  const from = relative(dirname(`esm/${entry}`), `cjs/${entry}`)
  write(`esm/${entry}.js`, `export { ${exportsOf(entry).join(', ')} } from '${from}.js'\n`)
  write(`esm/${entry}.d.ts`, `export * from '${from}.js'\n`)
}
write('cjs/package.json', `${JSON.stringify({ type: 'commonjs' })}\n`)

// The code of the package: one CommonJS file for each entry point, and one for each group of modules that several of them
// share. Lines hold one statement each and no indentation; names stay, so a stack reads without its source map too.
import { basename, dirname, join, relative } from 'node:path'
import { decode, encode } from '@jridgewell/sourcemap-codec'
import { build, transform } from 'esbuild'

const SHARED = 'shared'

/** By path in the folder of the output: the text of each file and of its source map. */
export async function buildChunks({ source, entryPoints, ownMigrations }) {
  const outdir = join(source, 'dist/cjs')
  const { outputFiles, metafile } = await build({
    absWorkingDir: source,
    entryPoints: entryPoints.map((name) => `${name}.ts`),
    outbase: source,
    outdir,
    chunkNames: `${SHARED}/[hash]`,
    bundle: true,
    splitting: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    sourcemap: true,
    sourcesContent: false,
    metafile: true,
    write: false,
    plugins: [withModule(/own-migrations\.ts$/, ownMigrations)],
  })
  const names = nameShared(metafile.outputs)
  const texts = new Map(outputFiles.map(({ path, text }) => [relative(outdir, path), text]))
  const files = new Map()
  for (const [path, text] of texts) {
    if (path.endsWith('.map')) continue
    const name = path.replace(/[^/]+(?=\.js$)/, (hash) => names.get(path) ?? hash)
    const required = toCommonJs(text.replace(/\n\/\/# sourceMappingURL=.*\n$/, '\n'), names)
    const { code, map } = await minify(required, texts.get(`${path}.map`))
    files.set(name, `"use strict";\n${code}//# sourceMappingURL=${basename(name)}.map\n`)
    files.set(`${name}.map`, map)
  }
  return { files, exportsOf: (entry) => metafile.outputs[`dist/cjs/${entry}.js`].exports }
}

/** Another text for a module. */
const withModule = (filter, contents) => ({
  name: 'with-module',
  setup: ({ onLoad }) => onLoad({ filter }, () => ({ contents, loader: 'js' })),
})

/** A shared file is named for the largest module in it. */
function nameShared(outputs) {
  const names = new Map()
  for (const [path, { inputs }] of Object.entries(outputs)) {
    const output = relative('dist/cjs', path)
    if (dirname(output) !== SHARED || !output.endsWith('.js')) continue
    const [[largest]] = Object.entries(inputs).sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    const name = largest.replace(/\.ts$/, '').split('/')
    const taken = [...names.values()].includes(name.at(-1))
    names.set(output, taken ? name.join('-') : name.at(-1))
  }
  return names
}

/** esbuild writes import and export statements in these forms only. Lines stay where they are. */
function toCommonJs(code, names) {
  const renamed = (path) =>
    path.replace(/[^/]+(?=\.js$)/, (hash) => names.get(`${SHARED}/${hash}.js`) ?? hash)
  const pairs = (list, between) => list.replace(/(\S+) as (\S+?)(?=,|\s|$)/g, between)
  const whole = code
    .replace(/^import (\{[^}]*\}|\* as \S+|\S+) from "([^"]+)";$/gm, (_, what, from) => {
      if (!what.startsWith('{') && !from.startsWith('node:')) throw new Error(`no default of ${from}`)
      return `const ${pairs(what, '$1: $2').replace('* as ', '')} = require("${renamed(from)}");`
    })
    // Of modules that do nothing but export, for nothing: it would only say in which order they are loaded.
    .replace(/^import "\.[^"]+";$/gm, '')
    .replace(/^export (\{[^}]*\});$/m, (_, what) => `module.exports = ${pairs(what, '$2: $1')};`)
  if (/^(import|export)\b/m.test(whole)) throw new Error('an import or export in an unknown form')
  return whole
}

/** Without comments and the space between words; a statement begins a line, and a line leads to a line. */
async function minify(required, map) {
  const inline = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}`
  const result = await transform(required + inline, {
    minifyWhitespace: true,
    platform: 'node',
    target: 'node20',
    sourcemap: 'external',
    sourcesContent: false,
    sourcefile: 'chunk.js',
  })
  const { version, sources, mappings } = JSON.parse(result.map)
  const [lines, leads] = [[], []]
  const mapped = decode(mappings)
  result.code.split('\n').forEach((text, number) => {
    let begin = 0
    let lead = mapped[number]?.[0]
    const end = (at, next) => {
      lines.push(text.slice(begin, at))
      leads.push(lead === undefined ? [] : [[0, ...lead.slice(1, 4)]])
      ;[begin, lead] = [at, next]
    }
    for (const segment of mapped[number] ?? [])
      if (segment[2] !== lead?.[2] && /[;}]/.test(text[segment[0] - 1] ?? '')) end(segment[0], segment)
    end(text.length)
  })
  // "use strict" comes before them.
  const shortened = encode([
    [],
    ...leads.map((line) => line.map(([column, file, row]) => [column, file, row, 0])),
  ])
  return { code: lines.join('\n'), map: JSON.stringify({ version, sources, names: [], mappings: shortened }) }
}

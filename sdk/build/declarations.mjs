// The declarations of the package, one for each module that an entry point leads to.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'

/** By path in the folder of the output. */
export function buildDeclarations({ source, sources, entryPoints }) {
  const folder = mkdtempSync(join(tmpdir(), 'idemscope-declarations-'))
  try {
    emit(source, sources, folder)
    return reachedOf(folder, entryPoints)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function emit(source, sources, folder) {
  const options = [
    ...['--target', 'ES2023', '--module', 'ESNext', '--moduleResolution', 'Bundler', '--skipLibCheck'],
    ...['--strict', '--exactOptionalPropertyTypes', '--noUncheckedIndexedAccess', '--stripInternal'],
    ...['--lib', 'ES2023,ES2024.String,DOM,DOM.Iterable,ESNext.Disposable', '--types', 'node'],
    ...['--declaration', '--emitDeclarationOnly', '--ignoreConfig', '--rootDir', source, '--outDir', folder],
  ]
  const tsc = resolve(source, '../node_modules/typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, ...options, ...sources], {
    stdio: ['ignore', 2, 2],
    cwd: source,
  })
  if (status !== 0) process.exit(status ?? 1)
}

function reachedOf(folder, entryPoints) {
  const files = new Map()
  const documented = new Set()
  const reach = (path, isEntry) => {
    if (isEntry) documented.add(path)
    const text = files.get(path) ?? readFileSync(join(folder, path), 'utf8')
    const known = files.has(path)
    files.set(path, text)
    for (const [statement, name] of text.matchAll(/^.*(?:from|import\()\s*['"](\.[^'"]+)['"]/gm)) {
      const next = relative(folder, join(folder, path, '..', `${name}.d.ts`))
      if (isEntry && statement.startsWith('export')) documented.add(next)
      if (!known) reach(next, false)
    }
  }
  for (const name of entryPoints) reach(`${name}.d.ts`, true)
  // What no entry point exports nobody looks up: it is there for the compiler.
  return new Map(
    [...files].map(([path, text]) => [path, documented.has(path) ? text : withoutComments(text)]),
  )
}

const withoutComments = (text) => text.replace(/^ *\/\*\*[\s\S]*?\*\/\n/gm, '')

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/** Levels of the import rule in docs/architecture.md: a module imports from lower levels only. */
const LEVELS: string[][] = [
  ['lib/core'],
  ['lib/env', 'lib/db', 'lib/log', 'lib/queue', 'lib/context', 'lib/outbound'],
  ['lib/access', 'lib/audit', 'lib/runs', 'lib/actions', 'lib/sources', 'lib/telemetry'],
  ['lib/keys', 'lib/effects', 'lib/reconcile', 'lib/retention', 'lib/alerts'],
  ['app', 'jobs'],
]
/** The exceptions that the rule names. */
const ALLOWED = new Set(['lib/reconcile → lib/keys', 'lib/actions → lib/audit'])

const SKIPPED = /node_modules|generated|\.next/

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (SKIPPED.test(path)) return []
    if (entry.isDirectory()) return sources(path)
    return /\.(ts|tsx|mjs)$/.test(entry.name) ? [path] : []
  })
}

const unitOf = (path: string) =>
  LEVELS.flat().find((unit) => path === unit || path === `${unit}.ts` || path.startsWith(`${unit}/`))
const levelOf = (unit: string) => LEVELS.findIndex((units) => units.includes(unit))

/** What a file imports, as paths from the root; packages keep their name. */
function importsOf(file: string): string[] {
  const text = readFileSync(file, 'utf8')
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)
  return [...found].map(([, name = '']) => {
    if (name.startsWith('@/')) return name.slice(2)
    return name.startsWith('.') ? normalize(join(dirname(file), name)) : `package:${name}`
  })
}

const edges = ['app', 'lib', 'jobs', 'sdk', 'demo'].flatMap((folder) =>
  sources(folder).flatMap((file) => importsOf(file).map((to) => ({ file, to }))),
)

test('modules import from lower levels only, and never a sibling', () => {
  const broken = edges.flatMap(({ file, to }) => {
    const [from, target] = [unitOf(file), unitOf(to)]
    if (from === undefined || target === undefined || from === target || ALLOWED.has(`${from} → ${target}`))
      return []
    const lowest = levelOf(target) < levelOf(from) || (levelOf(from) === 1 && levelOf(target) === 1)
    return lowest ? [] : [`${file} imports ${to}`]
  })
  expect(broken).toEqual([])
})

test('lib knows nothing of Next', () => {
  expect(edges.filter(({ file, to }) => file.startsWith('lib/') && /^package:next(\/|$)/.test(to))).toEqual(
    [],
  )
})

test('the SDK imports nothing of ours, the demo only the SDK', () => {
  const ours = (to: string) => /^(app|lib|jobs|prisma|demo|test)\//.test(to)
  expect(edges.filter(({ file, to }) => file.startsWith('sdk/') && ours(to))).toEqual([])
  expect(
    edges.filter(({ file, to }) => file.startsWith('demo/') && ours(to) && !to.startsWith('demo/')),
  ).toEqual([])
})

test('adapters import only core and their driver', () => {
  const adapters = edges.filter(({ file }) => /^lib\/sources\/(native|ledger-postgres|stripe)\//.test(file))
  const broken = adapters.filter(({ to }) => unitOf(to) !== undefined && !/^lib\/(core|sources)\b/.test(to))
  expect(broken).toEqual([])
})

test('client components import only lib/core and the design system', () => {
  const client = sources('app').filter((file) => /^['"]use client['"]/.test(readFileSync(file, 'utf8')))
  const broken = client.flatMap((file) =>
    importsOf(file)
      .filter((to) => to.startsWith('lib/') && !to.startsWith('lib/core/'))
      .map((to) => `${file} imports ${to}`),
  )
  expect(broken).toEqual([])
})

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { expect, test } from 'vitest'

/** Levels of the import rule in docs/architecture.md: a module imports from lower levels only. */
const LEVELS: string[][] = [
  ['lib/core'],
  [
    'lib/env',
    'lib/db',
    'lib/log',
    'lib/queue',
    'lib/context',
    'lib/live-events',
    'lib/postgres-errors',
    'lib/assert-still-in',
    'lib/outbound',
  ],
  ['lib/access', 'lib/audit', 'lib/runs', 'lib/actions', 'lib/sources', 'lib/mirror', 'lib/telemetry'],
  [
    'lib/keys',
    'lib/locks',
    'lib/effects',
    'lib/messages',
    'lib/conditions',
    'lib/reconcile',
    'lib/retention',
  ],
  ['lib/alerts', 'lib/incidents', 'lib/insight'],
  ['app', 'jobs'],
]
/** The exceptions that the rule names. */
const ALLOWED = new Set([
  'lib/actions → lib/audit',
  'lib/mirror → lib/sources',
  'lib/keys → lib/locks',
  'lib/messages → lib/locks',
  'lib/reconcile → lib/locks',
  'lib/reconcile → lib/conditions',
  'lib/incidents → lib/alerts',
  'lib/insight → lib/alerts',
  'lib/insight → lib/incidents',
])

const SKIPPED = /node_modules|generated|\.next|sdk\/dist|migrations/

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

const edges = ['app', 'lib', 'jobs', 'sdk', 'demo', 'gateway'].flatMap((folder) =>
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

test('the SDK imports nothing of ours, the demo and the gateway only the SDK', () => {
  const ours = (to: string) => /^(app|lib|jobs|prisma|demo|gateway|test)\//.test(to)
  expect(edges.filter(({ file, to }) => file.startsWith('sdk/') && ours(to))).toEqual([])
  for (const room of ['demo/', 'gateway/'])
    expect(edges.filter(({ file, to }) => file.startsWith(room) && ours(to) && !to.startsWith(room))).toEqual(
      [],
    )
})

test('adapters import only core and their driver', () => {
  const adapters = edges.filter(({ file }) => /^lib\/sources\/(?!manage\/)[\w-]+\//.test(file))
  const broken = adapters.filter(({ to }) => unitOf(to) !== undefined && !/^lib\/(core|sources)\b/.test(to))
  expect(broken).toEqual([])
})

test('of lib only the adapters of its own stores use the SDK, and only its stores', () => {
  const own = /^lib\/sources\/(native(-\w+)?\/|adapters\.ts$|(redis|dynamodb)\/detect\.ts$)/
  const ofLib = edges.filter(({ file, to }) => file.startsWith('lib/') && to.startsWith('sdk/'))
  expect(ofLib.filter(({ file }) => !own.test(file))).toEqual([])
  expect(ofLib.filter(({ to }) => !/^sdk\/(stores\/|clock$)/.test(to))).toEqual([])
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

/** A schema of the console's database, and the rooms whose code may name its tables. */
const SCHEMAS: Record<string, string[]> = {
  // Effects are seen by both: their causes are one join of telemetry, mirror and cases.
  telemetry: ['lib/telemetry', 'lib/effects'],
  messages: ['lib/messages'],
  mirror: ['lib/mirror', 'lib/reconcile', 'lib/keys', 'lib/locks', 'lib/effects', 'lib/retention'],
}

test('only its own rooms query a schema', () => {
  const broken = ['app', 'lib', 'jobs'].flatMap(sources).flatMap((file) => {
    const code = readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
    return Object.entries(SCHEMAS).flatMap(([schema, rooms]) =>
      new RegExp(`\\b(FROM|JOIN|INTO|UPDATE|TABLE)\\s+${schema}\\.`).test(code) &&
      !rooms.some((room) => file.startsWith(`${room}/`))
        ? [`${file} queries ${schema}`]
        : [],
    )
  })
  expect(broken).toEqual([])
})

/** Tables that one room writes. */
const WRITERS: Record<string, string> = { condition: 'lib/conditions' }

test('only one room writes conditions', () => {
  const broken = ['app', 'lib', 'jobs'].flatMap(sources).flatMap((file) => {
    const code = readFileSync(file, 'utf8')
    return Object.entries(WRITERS).flatMap(([table, room]) => {
      const inSql = new RegExp(`(INSERT INTO|UPDATE|DELETE FROM)\\s+"?${table}"?\\b`)
      const inPrisma = new RegExp(`\\.${table}\\.(create|update|upsert|delete)`)
      return (inSql.test(code) || inPrisma.test(code)) && !file.startsWith(`${room}/`)
        ? [`${file} writes ${table}`]
        : []
    })
  })
  expect(broken).toEqual([])
})

/** What is left when files that import no other of those left are taken away, again and again. Types count too. */
function circular(): string[] {
  const files = ['app', 'lib', 'jobs', 'sdk', 'demo', 'gateway'].flatMap(sources)
  const fileOf = new Map(
    files.flatMap((file) => [[file, file] as const, [file.replace(/\.\w+$/, ''), file] as const]),
  )
  for (const file of files) if (/\/index\.ts$/.test(file)) fileOf.set(dirname(file), file)
  const left = new Map(files.map((file) => [file, new Set<string>()]))
  for (const { file, to } of edges) {
    const target = fileOf.get(to)
    if (target !== undefined && target !== file) left.get(file)?.add(target)
  }
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const [file, targets] of left)
      if (![...targets].some((target) => left.has(target))) left.delete(file)
  }
  return [...left.keys()]
}

test('no imports go in a circle', () => {
  expect(circular()).toEqual([])
})

const FILES_MAX = 15
/** Rooms with more files at one level, and why they are one room. */
const LARGE_ROOMS: Record<string, string> = {
  'app/_server': 'what pages and API share, one concern a file',
  'app/_ui': 'the design system, one component a file',
  'demo/provider': 'one resource of the provider a file',
  'demo/service': 'a service as its users write one',
  'lib/core': 'one concept a file, without I/O',
}

test('a room has at most 15 files at one level, or a reason', () => {
  const folders = ['app', 'lib', 'jobs', 'sdk', 'demo', 'gateway'].flatMap(foldersIn)
  const large = folders.filter((folder) => filesOf(folder) > FILES_MAX)
  expect(large.sort()).toEqual(Object.keys(LARGE_ROOMS).sort())
})

const foldersIn = (folder: string): string[] => [
  folder,
  ...readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !SKIPPED.test(join(folder, entry.name)))
    .flatMap((entry) => foldersIn(join(folder, entry.name))),
]
const filesOf = (folder: string): number =>
  readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile()).length

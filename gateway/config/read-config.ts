import { readFileSync } from 'node:fs'
import { type Document, isScalar, LineCounter, parseDocument, visit } from 'yaml'
import type { $ZodIssue } from 'zod/v4/core'
import { type Fault, findCrossFaults } from './cross-faults'
import { configSchema, type GatewayConfig } from './schema'

/** The file cannot be used; names every fault with its place. */
export class GatewayConfigError extends Error {
  override readonly name = 'GatewayConfigError'
  constructor(
    file: string,
    readonly faults: readonly string[],
  ) {
    super(`${file} has ${faults.length} fault${faults.length === 1 ? '' : 's'}:\n  ${faults.join('\n  ')}`)
  }
}

export type ConfigSources = {
  readFile?: (path: string) => string
  env: Readonly<Record<string, string | undefined>>
}

/** Reads and checks the whole file. Throws GatewayConfigError with all that is wrong with it. */
export function readConfig(
  file: string,
  { readFile = (path) => readFileSync(path, 'utf8'), env }: ConfigSources,
): GatewayConfig {
  let text: string
  try {
    text = readFile(file)
  } catch (error) {
    throw new GatewayConfigError(file, [`cannot be read: ${messageOf(error)}`])
  }
  const lines = new LineCounter()
  // Duplicate names are a fault of the parser; aliases are bounded by it.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    throw new GatewayConfigError(
      file,
      document.errors.map(({ pos: [at], message }) => `${placeOf(lines, at)}${message}`),
    )
  }
  const faults: Fault[] = []
  fillIn(document, { readFile, env }, faults)
  const at = ({ path, message }: Fault) => `${lineOf(document, lines, path)}${nameOf(path)}: ${message}`
  if (faults.length > 0) throw new GatewayConfigError(file, faults.map(at))
  const parsed = configSchema.safeParse(document.toJS() ?? {})
  const found = parsed.success ? findCrossFaults(parsed.data) : parsed.error.issues.flatMap(faultsOf)
  if (!parsed.success || found.length > 0) throw new GatewayConfigError(file, found.map(at))
  return parsed.data
}

const REFERENCE = /\$\{([^}]*)\}/g

/** `${NAME}` is a variable of the environment, `${file:/path}` the content of a file: secrets need not stand in it. */
function fillIn(document: Document, { readFile, env }: Required<ConfigSources>, faults: Fault[]): void {
  visit(document, {
    Scalar(key, node, path) {
      if (key === 'key' || typeof node.value !== 'string') return
      node.value = node.value.replace(REFERENCE, (_, name: string) => {
        const fault = (message: string) => {
          faults.push({ path: pathOf(path), message, at: node.range?.[0] })
          return ''
        }
        if (!name.startsWith('file:')) {
          const value = env[name]
          return value === undefined || value === ''
            ? fault(`the environment has no ${name}: set it, or write the value here`)
            : value
        }
        try {
          return readFile(name.slice(5)).trim()
        } catch (error) {
          return fault(`${name.slice(5)} cannot be read: ${messageOf(error)}`)
        }
      })
    },
  })
}

/** The names of the pairs and sequences above a node. */
function pathOf(above: readonly unknown[]): (string | number)[] {
  const path: (string | number)[] = []
  above.forEach((node, index) => {
    if (typeof node !== 'object' || node === null) return
    if ('key' in node && isScalar(node.key)) path.push(String(node.key.value))
    else if ('items' in node && Array.isArray(node.items) && index > 0) {
      const next = above[index + 1]
      const position = node.items.indexOf(next)
      if (position >= 0 && !(typeof next === 'object' && next !== null && 'key' in next)) path.push(position)
    }
  })
  return path
}

/** A union names what each of its branches found: the one that came furthest is what was meant. */
function faultsOf(issue: $ZodIssue): Fault[] {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part))
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({
      path: [...path, key],
      message: 'is no setting: remove it, or see docs/guides/gateway.md',
    }))
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const deepest = issue.errors.find((branch) => branch.some(({ path }) => path.length > 0))
    if (deepest !== undefined && !/must be/.test(issue.message)) {
      return deepest.flatMap((inner) =>
        faultsOf({ ...inner, path: [...issue.path, ...inner.path] } as $ZodIssue),
      )
    }
    const inObject = issue.errors.find((branch) =>
      branch.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys'),
    )
    if (inObject !== undefined) {
      return inObject.flatMap((inner) =>
        faultsOf({ ...inner, path: [...issue.path, ...inner.path] } as $ZodIssue),
      )
    }
  }
  const missing =
    issue.code === 'invalid_type' && issue.input === undefined && /received undefined/.test(issue.message)
  return [{ path, message: missing ? 'is missing' : lowerFirst(issue.message) }]
}

const lowerFirst = (text: string) => text.charAt(0).toLowerCase() + text.slice(1)
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

const nameOf = (path: Fault['path']): string =>
  path.length === 0
    ? 'the file'
    : path
        .map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`))
        .join('')

const placeOf = (lines: LineCounter, at: number): string => {
  const { line, col } = lines.linePos(at)
  return `line ${line}:${col} `
}

/** The line of the setting, or of what should have it. */
function lineOf(document: Document, lines: LineCounter, path: Fault['path']): string {
  for (let depth = path.length; depth > 0; depth--) {
    const node = document.getIn(path.slice(0, depth), true)
    if (typeof node === 'object' && node !== null && 'range' in node && Array.isArray(node.range)) {
      return placeOf(lines, Number(node.range[0]))
    }
  }
  return ''
}

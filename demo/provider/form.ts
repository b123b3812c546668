import { invalid } from './failures'

type FormValue = string | FormNode
export interface FormNode {
  [name: string]: FormValue
}

const depthMax = 5
const fieldsMax = 500

/**
 * Decodes Stripe's form encoding: `metadata[order]=1`, `created[gte]=1`, `expand[]=a`, `expand[0]=a`.
 * Lists become nodes with numbered names; nodes have no prototype.
 */
export function parseForm(encoded: string): FormNode {
  const root: FormNode = Object.create(null)
  let fields = 0
  for (const [name, value] of new URLSearchParams(encoded)) {
    fields += 1
    if (fields > fieldsMax) throw invalid(`More than ${fieldsMax} parameters`)
    assign(root, splitName(name), value)
  }
  return root
}

function splitName(name: string): string[] {
  const open = name.indexOf('[')
  if (open === -1) return [name]
  const path = [
    name.slice(0, open),
    ...[...name.slice(open).matchAll(/\[([^\]]*)\]/g)].map((m) => m[1] ?? ''),
  ]
  if (path.length > depthMax) throw invalid(`Parameter nested too deeply: ${name}`, name)
  return path
}

function assign(root: FormNode, path: string[], value: string): void {
  let node = root
  path.forEach((part, depth) => {
    const name = part === '' ? String(Object.keys(node).length) : part
    if (depth === path.length - 1) {
      node[name] = value
      return
    }
    const child = node[name]
    if (child !== undefined && typeof child !== 'string') {
      node = child
      return
    }
    const made: FormNode = Object.create(null)
    node[name] = made
    node = made
  })
}

import type { FormNode } from './form'
import type { Stored } from './objects'
import { render, renderBalanceTransaction, renderFailureTransaction } from './render'
import type { State } from './state'

const pathsMax = 10

/** Replaces ids by objects for `expand[]=latest_charge` (or `data.payment_intent` on lists). */
export function renderExpanded(
  state: State,
  stored: Stored,
  form: FormNode,
  prefix = '',
  lookUpFirst: (id: string) => Stored | undefined = () => undefined,
): Record<string, unknown> {
  const show = (each: Stored) => ({ ...render(each), ...state.shownAs.get(each.id) })
  const json: Record<string, unknown> = show(stored)
  for (const path of expandPaths(form)) {
    if (!path.startsWith(prefix)) continue
    const name = path.slice(prefix.length)
    const id = json[name]
    if (typeof id !== 'string') continue
    if (name === 'balance_transaction') {
      json[name] = renderBalanceTransaction(stored)
      continue
    }
    if (name === 'failure_balance_transaction') {
      json[name] = renderFailureTransaction(stored)
      continue
    }
    const found = lookUpFirst(id) ?? lookUp(state, name, id)
    if (found !== undefined) json[name] = show(found)
  }
  return json
}

function expandPaths(form: FormNode): string[] {
  const { expand } = form
  if (expand === undefined || typeof expand === 'string') return []
  return Object.values(expand)
    .filter((path) => typeof path === 'string')
    .slice(0, pathsMax)
}

function lookUp(state: State, name: string, id: string): Stored | undefined {
  switch (name) {
    case 'latest_charge':
    case 'charge':
      return state.charges.get(id)
    case 'payment_intent':
      return state.paymentIntents.get(id)
    default:
      return undefined
  }
}

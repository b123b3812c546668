import { SIDES } from '../stage/stage'
import type { ClassifyContext } from './finding'
import type { Operation } from './operation'

/**
 * How whole each side is for one operation: what a source that is no more had said of it cannot be known. What began later was
 * never its to tell.
 */
export function sidesFor(
  operation: Operation,
  { sides, ended = [] }: Pick<ClassifyContext, 'sides' | 'ended'>,
): ClassifyContext['sides'] {
  if (ended.length === 0) return sides
  const { lives, charges, payments, refunds, disputes, postings } = operation
  const times = [
    ...lives.map(({ acquiredAt }) => acquiredAt),
    ...[...charges, ...payments, ...refunds, ...disputes].map(({ createdAt }) => createdAt),
    ...postings.map(({ bookedAt }) => bookedAt),
  ]
  const begun = Math.min(...times.map((at) => at.getTime()))
  const known = { ...sides }
  for (const side of SIDES) {
    const is = ended.some(({ kind, at }) => kind === side && begun <= at.getTime())
    // Also where it was the only one: a side that is `none` asks nothing, and what its silence left open would be resolved.
    if (is) known[side] = 'incomplete'
  }
  return known
}

import type { FacetValue } from '@/app/_ui/facet-chips'
import type { LockTally } from '@/lib/locks/count-locks'
import { type Query, VIEW_STATES, VIEWS, type View } from './query'

const sum = (tallies: readonly LockTally[]): number => tallies.reduce((total, { count }) => total + count, 0)

const inView = (view: View) => (tally: LockTally) => VIEW_STATES[view].includes(tally.state)

const matches =
  ({ endpoint, client }: Pick<Query, 'endpoint' | 'client'>) =>
  (tally: LockTally) =>
    (endpoint === null || tally.endpoint === endpoint) && (client === null || tally.client === client)

/** How many rows each view has, under the filters that are set. */
export function viewCounts(tallies: readonly LockTally[], query: Query): Record<View, number> {
  const filtered = tallies.filter(matches(query))
  const counts = VIEWS.map((view) => [view, sum(filtered.filter(inView(view)))])
  return Object.fromEntries(counts) as Record<View, number>
}

/** The endpoints or clients of the view, the most locks first, each with how many it has. */
export function facetValues(
  tallies: readonly LockTally[],
  query: Query,
  column: 'endpoint' | 'client',
): FacetValue[] {
  const others = matches({ ...query, [column]: null })
  const counts = new Map<string, number>()
  for (const tally of tallies.filter(inView(query.view)).filter(others)) {
    counts.set(tally[column], (counts.get(tally[column]) ?? 0) + tally.count)
  }
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || a.localeCompare(b))
    .map(([value, count]) => ({ value, count }))
}

/** What is to be said of all stuck locks, whatever is filtered. */
export function stuckFacts(tallies: readonly LockTally[]) {
  const stuck = tallies.filter(inView('stuck'))
  const of = (verdict: LockTally['verdict']) => sum(stuck.filter((tally) => tally.verdict === verdict))
  return {
    stuck: sum(stuck),
    held: sum(tallies.filter(inView('held'))),
    release: of('release'),
    complete: of('complete'),
    wait: of('wait'),
    investigate: of('investigate'),
    sources: [...new Set(stuck.map(({ source }) => source))],
  }
}
export type StuckFacts = ReturnType<typeof stuckFacts>

/** Whether anything can be known of locks. */
export type StoreState = 'not_connected' | 'not_read' | 'read'

export function storeStateOf(sources: readonly { kind: string; lastOkAt: string | null }[]): StoreState {
  const stores = sources.filter(({ kind }) => kind === 'intent')
  if (stores.length === 0) return 'not_connected'
  return stores.some(({ lastOkAt }) => lastOkAt !== null) ? 'read' : 'not_read'
}

/** The page in one sentence or two. `places` names the stores; `more` = they hold more than are listed. */
export function stuckSentence(facts: StuckFacts, places: string, stores: StoreState, more: boolean): string {
  if (facts.stuck === 0) {
    if (stores === 'not_connected') return 'No idempotency store is connected: nothing is known of locks.'
    if (stores === 'not_read') return 'The store was not read yet: nothing is known of locks.'
    if (more) return `No key is stuck among the oldest that are held. More are held than are listed.`
    return facts.held === 0
      ? 'No key is held now.'
      : `No key is stuck. ${keys(facts.held)} held by a live holder; nothing is to be done.`
  }
  const parts = [
    facts.release > 0 &&
      `${facts.release} safe to release: the holder is gone and the provider has nothing of it`,
    facts.complete > 0 && `${facts.complete} to complete: the provider has the effect`,
    facts.investigate > 0 && `${facts.investigate} for a person to look at`,
    facts.wait > 0 && `${facts.wait} too early to assess`,
  ].filter((part) => part !== false)
  return `${more ? 'At least ' : ''}${keys(facts.stuck)} held past ${facts.stuck === 1 ? 'its' : 'their'} lease${places === '' ? '' : ` in ${places}`}. ${parts.join('; ')}.`
}

const keys = (count: number): string =>
  `${count.toLocaleString('en-US')} ${count === 1 ? 'key is' : 'keys are'}`

import { z } from 'zod'
import { KEY_STATES, type KeyState, LOCK_VERDICTS, type LockVerdict } from '@/lib/core/states'
import type { Db } from '@/lib/db'

/** Live locks that have this state, verdict, scope and source in common. */
export type LockTally = {
  state: KeyState
  verdict: LockVerdict
  client: string
  endpoint: string
  source: string
  count: number
}

const rowSchema = z.object({
  state: z.enum(KEY_STATES),
  verdict: z.enum(LOCK_VERDICTS),
  client: z.string(),
  endpoint: z.string(),
  source: z.string(),
  count: z.number(),
})

/** Scopes are few: a caller and a route each. More groups than this and the counts are lower bounds. */
const GROUPS_MAX = 2_000

const SQL = `
  SELECT state, verdict, split_part(scope, '/', 1) AS client, substr(scope, strpos(scope, '/') + 1) AS endpoint,
    source_id AS source, count(*)::int AS count
  FROM lock WHERE gone_at IS NULL
  GROUP BY 1, 2, 3, 4, 5 ORDER BY count DESC, 1, 2, 3, 4, 5 LIMIT ${GROUPS_MAX + 1}`

/** How many live locks there are of each sort: what the filters of the page count. */
export async function tallyLocks(db: Db): Promise<{ tallies: LockTally[]; more: boolean }> {
  const { rows } = await db.pool.query(SQL)
  return {
    tallies: rows.slice(0, GROUPS_MAX).map((row) => rowSchema.parse(row)),
    more: rows.length > GROUPS_MAX,
  }
}

/** Live locks by what is to be done about them. Stuck = nobody works on it any more: its lease passed, or its end is unknown. */
export const LOCK_GROUPS = {
  stuck: ['lease_expired', 'unknown'],
  held: ['leased'],
  unknown: ['unknown'],
  retryable: ['retryable'],
} as const satisfies Record<string, readonly KeyState[]>
export type LockGroup = keyof typeof LOCK_GROUPS
export const LOCK_GROUP_NAMES = Object.keys(LOCK_GROUPS) as LockGroup[]

type ScopeFilter = { endpoint: string | null; client: string | null }

const sum = (tallies: readonly LockTally[]): number => tallies.reduce((total, { count }) => total + count, 0)

const isIn = (group: LockGroup) => {
  const states: readonly KeyState[] = LOCK_GROUPS[group]
  return ({ state }: LockTally) => states.includes(state)
}

const matches =
  ({ endpoint, client }: ScopeFilter) =>
  (tally: LockTally) =>
    (endpoint === null || tally.endpoint === endpoint) && (client === null || tally.client === client)

/** How many locks each group has, under the filter. */
export function countByGroup(tallies: readonly LockTally[], filter: ScopeFilter): Record<LockGroup, number> {
  const filtered = tallies.filter(matches(filter))
  const counts = LOCK_GROUP_NAMES.map((group) => [group, sum(filtered.filter(isIn(group)))])
  return Object.fromEntries(counts) as Record<LockGroup, number>
}

/** The endpoints or clients of a group, the most locks first, each with how many it has; a column does not filter itself. */
export function countByColumn(
  tallies: readonly LockTally[],
  { group, ...filter }: ScopeFilter & { group: LockGroup },
  column: keyof ScopeFilter,
): { value: string; count: number }[] {
  const others = matches({ ...filter, [column]: null })
  const counts = new Map<string, number>()
  for (const tally of tallies.filter(isIn(group)).filter(others)) {
    counts.set(tally[column], (counts.get(tally[column]) ?? 0) + tally.count)
  }
  return [...counts]
    .sort(([a, n], [b, m]) => m - n || a.localeCompare(b))
    .map(([value, count]) => ({ value, count }))
}

export type StuckLocks = {
  stuck: number
  held: number
  byVerdict: Record<LockVerdict, number>
  sources: string[]
}

/** How many locks are stuck, by what their evidence says, and in which stores. */
export function countStuck(tallies: readonly LockTally[]): StuckLocks {
  const stuck = tallies.filter(isIn('stuck'))
  const counts = LOCK_VERDICTS.map((verdict) => [
    verdict,
    sum(stuck.filter((tally) => tally.verdict === verdict)),
  ])
  return {
    stuck: sum(stuck),
    held: sum(tallies.filter(isIn('held'))),
    byVerdict: Object.fromEntries(counts) as Record<LockVerdict, number>,
    sources: [...new Set(stuck.map(({ source }) => source))],
  }
}

import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import type { KeyState } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { type QueryLimits, queryCancellable } from './cancellable-query'
import { type KeyFilter, keyConditions, keysOf, stateConditions } from './key-conditions'

/** Nobody needs to know by how much it is more. */
export const COUNT_MAX = 10_000
const FACETS_TIMEOUT_MS = 3_000

/** `capped` = there are at least so many. */
export type CappedCount = { count: number; capped: boolean }

export type KeyFacets = {
  /** Null = it could not be counted in time: not measured, never 0. */
  states: Record<KeyState, CappedCount> | null
  sources: { source: string; count: number; capped: boolean }[] | null
}

const rowSchema = z.object({ name: z.string(), n: z.coerce.number() })

const capped = (n: number): CappedCount => ({ count: Math.min(n, COUNT_MAX), capped: n >= COUNT_MAX })

/** How many keys there are of each state and of each source, under the rest of the filter; each is counted to 10,000. */
export async function countKeys(
  ctx: { db: Db; clock: { now(): Date } },
  filter: KeyFilter,
  limits: Partial<QueryLimits> = {},
): Promise<KeyFacets> {
  const within = {
    timeoutMs: limits.timeoutMs ?? FACETS_TIMEOUT_MS,
    signal: limits.signal,
  }
  const now = ctx.clock.now()
  const [states, sources] = await Promise.all([
    orNull(countStates(ctx.db, filter, now, within)),
    orNull(countSources(ctx.db, filter, now, within)),
  ])
  return { states, sources }
}

async function countStates(db: Db, { state: _, ...filter }: KeyFilter, now: Date, limits: QueryLimits) {
  const { sql, values, now: at } = keyConditions(filter, now)
  const keys = keysOf(filter, sql)
  // The order leads to an index at whose end they lie. Without it the planner takes them for evenly spread over the
  // table, and reads most of it before the first.
  const found = (condition: string): string =>
    `(SELECT FROM ${keys.from} WHERE ${keys.where} AND ${condition} ORDER BY o.expires_at DESC LIMIT ${COUNT_MAX})`
  const each = stateConditions(at).map(
    ([state, conditions]) =>
      `SELECT '${state}' AS name, (SELECT count(*) FROM (${conditions.map(found).join(' UNION ALL ')}) x) AS n`,
  )
  const rows = await queryCancellable(db, `${keys.with} ${each.join(' UNION ALL ')}`, values, limits)
  const counted = rows.map((raw) => rowSchema.parse(raw)).map(({ name, n }) => [name, capped(n)])
  return Object.fromEntries(counted) as Record<KeyState, CappedCount>
}

async function countSources(db: Db, { source: _, ...filter }: KeyFilter, now: Date, limits: QueryLimits) {
  const { sql, values } = keyConditions(filter, now)
  const keys = keysOf(filter, sql)
  const rows = await queryCancellable(
    db,
    `${keys.with} SELECT s.id AS name, x.n FROM source s CROSS JOIN LATERAL (
       SELECT count(*) AS n FROM (SELECT FROM ${keys.from} WHERE o.source_id = s.id AND ${keys.where}
         ORDER BY o.occurred_at DESC LIMIT ${COUNT_MAX}) y
     ) x WHERE s.kind = 'intent' ORDER BY s.name`,
    values,
    limits,
  )
  return rows.map((raw) => rowSchema.parse(raw)).map(({ name, n }) => ({ source: name, ...capped(n) }))
}

/** A facet that takes too long must not take the list with it. */
async function orNull<T>(counting: Promise<T>): Promise<T | null> {
  try {
    return await counting
  } catch (error) {
    if (error instanceof AppError && error.code === 'timeout') return null
    throw error
  }
}

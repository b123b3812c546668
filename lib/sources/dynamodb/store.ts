import type { Clock } from '@/lib/core/clock'
import type { UnreadableRow } from '../contracts'
import type { Database, TableSize } from './client/database'
import type { Item } from './client/value'
import { readAttributes } from './config'
import type { Layout, Row } from './item/row'
import type { CapacityBudget } from './walk/budget'
import { filterOf, type Look, type Scanner } from './walk/look'

/** A key that is live, or was when it was read. */
export type Known = { place: Item; row: Row; readMs: number }

/** What one process knows of a table. */
export type Store = Layout & {
  database: Database
  budget: CapacityBudget
  clock: Clock
  size: TableSize | null
  /** Live keys that any reading came by. */
  live: Map<string, Known>
  /** Items that are there and cannot be understood, as of the walk that came by them last. */
  odd: Map<string, { row: UnreadableRow; startedMs: number }>
  /** There were more of either than are kept. */
  overfull: boolean
  /** The walk that this process itself has under way: only a whole one of its own tells that it knows all live keys. */
  walking: { look: Look; atMs: number } | null
  /** A walk that looks for live keys only. */
  looking: Look | null
  /** The last whole one. */
  whole: { look: Look; atMs: number } | null
}

export const request = (store: Store) => ({
  table: store.config.table,
  attributes: readAttributes(store.mapping),
})

export function scanner({ database, config, mapping, budget }: Store): Scanner {
  const attributes = readAttributes(mapping)
  return {
    database,
    table: config.table,
    attributes,
    filter: (only) => filterOf(mapping, attributes, only),
    budget,
    unitsPerSecond: config.scan.unitsPerSecond,
  }
}

/** The clock, and the table's size by the way; free of capacity. */
export async function storeClock(store: Store): Promise<Date> {
  const { now, ...size } = await store.database.describe(store.config.table)
  store.size = size
  return now
}

import { isUnreadable, setApart } from '../../contracts'
import { isLive, toRecord, toRow } from '../item/row'
import { type Store, scanner, storeClock } from '../store'
import { noteLive, noteOdd, noteWhole } from './known'
import { isWhole, type Look } from './look'
import type { Walker } from './read-records'

/** A table that another library writes: the walk of its records comes by its live keys, too. */
export function walkerOf(store: Store): Walker {
  const { config, mapping, clock } = store
  return {
    scan: config.scan,
    clock,
    scanner: scanner(store),
    subject: JSON.stringify([config.table, mapping.partition, mapping.sort ?? null]),
    storeClock: () => storeClock(store),
    size: () => store.size,
    take(items, look) {
      const rows = items.map((item) => ({ item, row: toRow(store, item) }))
      for (const { item, row } of rows) {
        if (isUnreadable(row)) noteOdd(store, row, look)
        else if (isLive(row)) noteLive(store, item, row)
        else if (row.expiresAt <= look.startedAt) look.expired += 1
      }
      const { read, unreadable } = setApart(rows.map(({ row }) => row))
      return { items: read.filter((row) => !isLive(row)).map((row) => toRecord(store, row)), unreadable }
    },
    begun(look, atMs) {
      store.walking = { look, atMs }
    },
    follow: (before, after, atMs) => follow(store, before, after, atMs),
  }
}

/** Whether this process has seen every round of it. */
function follow(store: Store, before: Look, after: Look, atMs: number): void {
  const mine =
    store.walking?.look.startedAt.getTime() === before.startedAt.getTime() &&
    store.walking.look.rounds === before.rounds
  store.walking = mine && !isWhole(after) ? { look: after, atMs } : null
  if (mine && isWhole(after)) noteWhole(store, after)
}

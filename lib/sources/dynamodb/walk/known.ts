import type { UnreadableRow } from '../../contracts'
import type { Item } from '../client/value'
import type { Row } from '../item/row'
import type { Store } from '../store'
import type { Look } from './look'

/** More of either than this are a table in trouble: the rest is not kept, and what is not listed proves nothing. */
const LIVE_MAX = 20_000
const ODD_MAX = 1_000

export function placeOf({ mapping: { partition, sort } }: Store, item: Item): Item {
  const of = (attribute: string): Item => {
    const value = item[attribute]
    return value === undefined ? {} : { [attribute]: value }
  }
  return { ...of(partition), ...(sort === undefined ? {} : of(sort)) }
}

export const idOf = (place: Item): string => JSON.stringify(Object.entries(place).sort())

export function noteLive(store: Store, item: Item, row: Row): void {
  const place = placeOf(store, item)
  const id = idOf(place)
  if (store.live.size >= LIVE_MAX && !store.live.has(id)) store.overfull = true
  else store.live.set(id, { place, row, readMs: store.clock.now().getTime() })
}

/** It is there all the same, whatever it is: until a whole walk no longer comes by it. */
export function noteOdd(store: Store, row: UnreadableRow, { startedAt }: Look): void {
  if (store.odd.size >= ODD_MAX && !store.odd.has(row.place)) store.overfull = true
  else store.odd.set(row.place, { row, startedMs: startedAt.getTime() })
}

export function noteWhole(store: Store, look: Look): void {
  store.whole = { look, atMs: store.clock.now().getTime() }
  for (const [place, { startedMs }] of store.odd)
    if (startedMs < look.startedAt.getTime()) store.odd.delete(place)
  if (store.live.size < LIVE_MAX && store.odd.size < ODD_MAX) store.overfull = false
}

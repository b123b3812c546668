'use client'

import { useState } from 'react'

export type SteadyRow<T> = {
  item: T
  /** It is on the page no more: kept in its place as it last was, so that nothing moves under the cursor. */
  gone: boolean
}

export type SteadyRows<T> = {
  rows: SteadyRow<T>[]
  /** Rows that have come since, not shown yet. */
  fresh: number
  /** Rows that have left since, still shown. */
  left: number
  /** Shows what the server has now. */
  catchUp: () => void
}

/**
 * Keeps the rows of a table where they are while fresh data arrives: their values change, their places do not. `resetKey`
 * names what is looked at; another query begins anew.
 */
export function useSteadyRows<T extends { id: string }>(
  items: readonly T[],
  resetKey: string,
): SteadyRows<T> {
  const [shown, setShown] = useState({ resetKey, items: [...items] })
  const current = new Map(items.map((item) => [item.id, item]))
  const stale = shown.resetKey !== resetKey || shown.items.length === 0
  const kept = stale ? [...items] : shown.items.map((item) => current.get(item.id) ?? item)
  const changed = stale
    ? shown.resetKey !== resetKey || items.length > 0
    : kept.some((item, place) => item !== shown.items[place])
  // React's way to follow props without an effect: the render is repeated at once, before it is seen.
  if (changed) setShown({ resetKey, items: kept })
  const known = new Set(kept.map(({ id }) => id))
  const rows = kept.map((item) => ({ item, gone: !current.has(item.id) }))
  return {
    rows,
    fresh: items.filter(({ id }) => !known.has(id)).length,
    left: rows.filter(({ gone }) => gone).length,
    catchUp: () => setShown({ resetKey, items: [...items] }),
  }
}

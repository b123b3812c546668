import type { IntentSource, LeasePage, LeaseRow, UnreadableRow } from './contracts'

/** `wholeUntil`: everything that was acquired before is there; null = everything is, or of what is truncated nobody knows. */
export type AllLeases = Omit<LeasePage, 'wholeUntil'> & { wholeUntil: string | null }

/**
 * Every live lease up to `max`, whether the store answers at once, the oldest first, or scans page by page. `now` is the
 * first page's: what is said to be absent was absent then or later. A scan may show a key twice while it moves: the later
 * reading counts.
 */
export async function readAllLeases(source: IntentSource, max: number): Promise<AllLeases> {
  const first = await source.readLeases({ limit: max })
  let next = first.next ?? null
  if (next === null) return { ...first, wholeUntil: wholeUntilOf(first) }
  const leases = new Map<string, LeaseRow>()
  const unreadable: UnreadableRow[] = []
  const add = (page: LeasePage) => {
    unreadable.push(...(page.unreadable ?? []))
    for (const lease of page.leases) leases.set(`${lease.scope}\u001f${lease.key}`, lease)
  }
  add(first)
  let truncated = first.truncated
  while (next !== null && !truncated) {
    const page: LeasePage = await source.readLeases({ limit: max, cursor: next })
    add(page)
    truncated = page.truncated || leases.size > max
    next = page.next ?? null
  }
  return {
    now: first.now,
    leases: [...leases.values()].slice(0, max),
    truncated,
    unreadable,
    wholeUntil: null,
  }
}

/** A store that lists the oldest first lacks the younger ones only. */
function wholeUntilOf({ truncated, leases, wholeUntil }: LeasePage): string | null {
  if (wholeUntil !== undefined) return wholeUntil?.toISOString() ?? null
  return truncated ? (leases.at(-1)?.seen.createdAt ?? null) : null
}

import type { Db } from '@/lib/db'
import { monthlyCost, type Price } from '@/lib/retention/price'
import { readRetryLives } from '@/lib/telemetry/read/requests/retry-lives'

/** What one TTL would have meant for the observed traffic. */
export type TtlSide = {
  ttlMs: number
  /** Null = not measured: the window is shorter than the TTL, so that no retry beyond it can be in it. */
  beyond: {
    /** Requests that came this long or longer after the first of their key. */
    retries: number
    /** Of these, those that would have found no record: the operation would have run again. */
    executions: number
    keys: number
  } | null
  /** Records held at any time: those that come in a TTL. */
  rowsHeld: number | null
  bytesHeld: number | null
  costPerMonth: Price | null
}

export type TtlComparison = {
  /** Distinct keys observed. */
  keys: number
  /** More retries than could be read: figures beyond the TTL are lower bounds. */
  atLeast: boolean
  a: TtlSide
  b: TtlSide
}

type Asked = {
  from: Date
  to: Date
  endpoint?: string | undefined
  ttlAMs: number
  ttlBMs: number
  /** Of the store that would hold the records; null = none was sampled. */
  bytesPerRow: number | null
  price: Price | null
}

/** Two TTLs on the traffic of a window, each request as it came. */
export async function compareTtls(db: Db, asked: Asked): Promise<TtlComparison> {
  const { from, to, endpoint, ttlAMs, ttlBMs } = asked
  const { keys, observedMs, lives, more } = await readRetryLives(db, {
    from,
    to,
    endpoint,
    longerThanMs: Math.min(ttlAMs, ttlBMs),
  })
  const windowMs = to.getTime() - from.getTime()
  const sideOf = (ttlMs: number): TtlSide => {
    const beyond = keys > 0 && ttlMs < windowMs ? countBeyond(lives, ttlMs) : null
    const records = keys + (beyond?.executions ?? 0)
    const rowsHeld = observedMs > 0 ? Math.round((records * ttlMs) / observedMs) : null
    const bytesHeld =
      rowsHeld === null || asked.bytesPerRow === null ? null : Math.round(rowsHeld * asked.bytesPerRow)
    const costPerMonth =
      bytesHeld === null || asked.price === null ? null : monthlyCost(bytesHeld, asked.price)
    return { ttlMs, beyond, rowsHeld, bytesHeld, costPerMonth }
  }
  return { keys, atLeast: more, a: sideOf(ttlAMs), b: sideOf(ttlBMs) }
}

/**
 * Replays each key's requests against records that live for `ttlMs` from the request that made them: one that finds none
 * executes, and makes the next. `lives`: the times of each key's requests, oldest first. Pure.
 */
export function countBeyond(
  lives: readonly (readonly number[])[],
  ttlMs: number,
): NonNullable<TtlSide['beyond']> {
  const counted = { retries: 0, executions: 0, keys: 0 }
  for (const [first, ...later] of lives) {
    if (first === undefined) continue
    let madeAt = first
    let executions = 0
    for (const at of later) {
      if (at - first >= ttlMs) counted.retries += 1
      if (at - madeAt < ttlMs) continue
      executions += 1
      madeAt = at
    }
    counted.executions += executions
    if (executions > 0) counted.keys += 1
  }
  return counted
}

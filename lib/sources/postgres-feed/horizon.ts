import { z } from 'zod'
import type { SourcePool } from '../postgres-pool'
import { type OpenTransactions, readOpenTransactions } from './open-transactions'

/** A place in a feed, by both of its orders. What a transaction that begins later writes lies behind it. */
const markSchema = z.object({
  /** How many were taken before it: those of a number grow in this order, whatever the clocks do. */
  nth: z.int(),
  /** By the source's clock, in UTC: as texts they sort as the times do. */
  at: z.string(),
  /** The highest value of the column that the feed walks along; null = the table was empty, or the feed goes by time. */
  position: z.string().nullable(),
})
export type Mark = z.infer<typeof markSchema>

const transactionSchema = z.object({
  id: z.string(),
  /** It may commit rows from here on; null = from the beginning: it was open before the feed was read at all. */
  from: markSchema.nullable(),
  /** When it began; where the role may not see that, a time before which it began. */
  since: z.string(),
})
type Transaction = z.infer<typeof transactionSchema>

/** Who could still commit rows behind what a pass has read. Kept in the feed's cursor. */
export const horizonSchema = z.object({
  mark: markSchema,
  /** Our clock when it was taken: it tells a step of the source's. */
  oursMs: z.number(),
  standby: z.boolean(),
  open: z.array(transactionSchema),
})
export type Horizon = z.infer<typeof horizonSchema>

export type Resumption = {
  horizon: Horizon
  /** Where a pass begins; null = at the beginning of the table. */
  from: Mark | null
}

/** Two clocks drift, and a call takes its time: less than this is no step. */
const STEP_MS_MIN = 1_000
/** A transaction of hours on a standby's primary leaves a bound with each pass: neighbours are merged. */
const BOUNDS_MAX = 100

/**
 * Takes the transactions that are open, before a pass reads its first row. A row becomes visible when its transaction
 * commits, so ids and stamps do not appear in their order. A pass begins at the lowest place where a transaction that
 * has ended since the last pass can have written: no earlier than the mark of the last time that it was not there yet.
 * One that is still open costs nothing before it ends.
 */
export async function takeHorizon(
  pool: SourcePool,
  last: Horizon | null,
  oursMs: number,
  highest: string | null = null,
): Promise<Resumption> {
  const seen = await readOpenTransactions(pool, highest)
  const mark = { nth: (last?.mark.nth ?? 0) + 1, at: seen.at, position: seen.position }
  const open = seen.standby ? boundsOf(seen, last) : openOf(seen, last)
  const horizon: Horizon = { mark, oursMs, standby: seen.standby, open }
  if (last === null) return { horizon, from: null }
  const still = new Set(seen.standby ? [] : open.map(({ id }) => id))
  const ended = last.open.filter(({ id }) => !still.has(id))
  const from = lowest([last.mark, ...ended.map((each) => each.from)])
  return { horizon, from: from === null ? null : steppedBack(from, horizon, last) }
}

function openOf(seen: OpenTransactions, last: Horizon | null): Transaction[] {
  const known = new Map(last?.open.map((each) => [each.id, each]))
  return seen.open.map(({ id, since, prepared }): Transaction => {
    const before = known.get(id)
    if (before !== undefined) return before
    // It was there before the feed: what it stamps is no older than its own beginning.
    if (last === null) {
      return {
        id,
        from: since === null ? null : { nth: 0, at: since, position: null },
        since: since ?? seen.at,
      }
    }
    // A prepared transaction had another id before, and so has every transaction of a standby that became the primary.
    const from = prepared || last.standby ? ofAll(last) : last.mark
    return { id, from, since: since ?? seen.at }
  })
}

/** A standby tells only below which transaction all have ended: whatever is above may come, pass after pass. */
function boundsOf(seen: OpenTransactions, last: Horizon | null): Transaction[] {
  const bounds = last?.standby ? last.open.filter(({ id }) => BigInt(id) > seen.xmin) : []
  if (seen.xmax > seen.xmin) {
    const from = last?.standby ? last.mark : ofAll(last)
    bounds.push({ id: seen.xmax.toString(), from, since: seen.at })
  }
  const [first, second, ...rest] = bounds
  if (bounds.length <= BOUNDS_MAX || first === undefined || second === undefined) return bounds
  return [{ ...first, id: second.id }, ...rest]
}

const ofAll = (last: Horizon | null): Mark | null =>
  last === null ? null : lowest([last.mark, ...last.open.map((each) => each.from)])

/** Of times the earliest, of numbers the oldest; null = one of them is the beginning. */
function lowest([first, ...others]: [Mark, ...(Mark | null)[]]): Mark | null {
  let low = first
  for (const each of others) {
    if (each === null) return null
    const older = each.nth < low.nth ? each : low
    const earlier = each.at < low.at ? each : low
    low = { ...older, at: earlier.at }
  }
  return low
}

/**
 * The source's clock went back, or ours ahead: what was stamped since the last pass may lie behind the mark by as much.
 * A feed that goes by a number is none the worse.
 */
function steppedBack(from: Mark, now: Horizon, last: Horizon): Mark {
  const passedMs = Date.parse(now.mark.at) - Date.parse(last.mark.at)
  const backMs = now.oursMs - last.oursMs - passedMs
  if (backMs < STEP_MS_MIN && passedMs >= 0) return from
  const lowestMs = Math.min(Date.parse(now.mark.at), Date.parse(from.at) - Math.max(0, backMs)) - STEP_MS_MIN
  const at = `${new Date(lowestMs).toISOString().slice(0, -1)}000Z`
  return { ...from, at: at < from.at ? at : from.at }
}

import { isUnreadable, type LeasePage } from '../../contracts'
import { isLive, toLease, toRow } from '../item/row'
import { type Known, request, type Store, scanner, storeClock } from '../store'
import { idOf, noteLive, noteOdd, noteWhole, placeOf } from './known'
import { beginLook, isWhole, readRound } from './look'

/** A live key is read again after this. */
export const AGAIN_MS = 60_000
const BATCH = 100
/** How long one look at live keys may read: the stores after this one wait for it. */
const TURN_MS = 5_000
const WALKED_ON_WITHIN_MS = 120_000
/** Clients' clocks, and a reading that is eventually consistent: a key taken so long before a walk is in it. */
const MARGIN_MS = 60_000

/**
 * Live keys that the last whole walk came by, or any reading since, as they are now. The walk of the records finds them;
 * where this process has seen none whole, it looks for them alone.
 */
export async function readLeases(store: Store, limit: number): Promise<LeasePage> {
  const now = await storeClock(store)
  if (store.mapping.state.kind === 'finished') return { now, leases: [], truncated: false }
  await lookAround(store, now)
  await readAgain(store)
  const leases = [...store.live.values()]
    .map(({ row }) => toLease(store, row, now))
    .sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime())
  const missing = store.overfull || leases.length > limit
  const wholeUntil = store.whole === null ? null : new Date(store.whole.look.startedAt.getTime() - MARGIN_MS)
  return {
    now,
    leases: leases.slice(0, limit),
    unreadable: [...store.odd.values()].map(({ row }) => row),
    truncated: wholeUntil === null || missing,
    ...(wholeUntil === null ? { unread: 'its live keys are still being looked for' } : {}),
    // Of more than the limit nobody knows which are missing: a walk comes by them in no order.
    wholeUntil: missing ? null : wholeUntil,
  }
}

async function lookAround(store: Store, now: Date): Promise<void> {
  const startMs = store.clock.now().getTime()
  const lateMs = 2 * store.config.scan.everyMs
  // A walk that another process has taken over does not go on here.
  const walking = store.walking !== null && startMs - store.walking.atMs < WALKED_ON_WITHIN_MS
  if (walking || (store.whole !== null && startMs - store.whole.atMs < lateMs)) return
  let look = store.looking ?? beginLook(now, store.config.scan.segments)
  while (!isWhole(look) && store.clock.now().getTime() - startMs < TURN_MS) {
    const round = await readRound(scanner(store), look, 'live')
    look = round.look
    store.looking = look
    for (const item of round.items) {
      const row = toRow(store, item)
      if (isUnreadable(row)) noteOdd(store, row, look)
      else if (isLive(row)) noteLive(store, item, row)
    }
  }
  if (isWhole(look)) {
    // It does not come by what has finished: how much of that has expired is as the last one found it.
    noteWhole(store, { ...look, expired: store.whole?.look.expired ?? 0 })
    store.looking = null
  }
}

/** Those that were read longest ago first, as many as two seconds of the budget pay for. What has ended goes. */
async function readAgain(store: Store): Promise<void> {
  const nowMs = store.clock.now().getTime()
  const due = [...store.live.values()]
    .filter(({ readMs }) => nowMs - readMs >= AGAIN_MS)
    .sort((a, b) => a.readMs - b.readMs)
    .slice(0, Math.max(1, Math.floor(2 * store.config.scan.unitsPerSecond)))
  for (let first = 0; first < due.length; first += BATCH)
    await readBatch(store, due.slice(first, first + BATCH))
}

async function readBatch(store: Store, batch: readonly Known[]): Promise<void> {
  const places = batch.map(({ place }) => place)
  const { items, left } = await store.budget.spend(places.length, () =>
    store.database.getMany(request(store), places),
  )
  const unasked = new Set(left.map(idOf))
  const found = new Map(items.map((item) => [idOf(placeOf(store, item)), item]))
  for (const place of places) {
    const id = idOf(place)
    const item = found.get(id)
    if (unasked.has(id)) continue
    const row = item === undefined ? null : toRow(store, item)
    // One that cannot be understood any more stays as it was last read: it has not ended.
    if (row !== null && isUnreadable(row)) continue
    if (item === undefined || row === null || !isLive(row)) store.live.delete(id)
    else noteLive(store, item, row)
  }
}

import type { RelaySettings } from './relay-options'
import type { RelayRound } from './relay-round'
import type { FloorMark, OutboxDatabase, ReadFrom } from './statements'

/** At the highest rates some thousand entries of what was sent are read once more meanwhile. */
const FLOOR_EVERY_MS = 250
const SEEN_EVERY_MS = 10_000
const KEPT_EVERY_MS = 60_000

/** What a relay does beside publishing: shows that it lives, keeps partitions, and tells what holds messages back. */
export function createUpkeep(settings: RelaySettings, db: OutboxDatabase) {
  const { clock, owner, onError, onHeldBack, heldBackMs } = settings
  let from = '00000000-0000-0000-0000-000000000000'
  let mark: FloorMark = { floor: '0', markSeq: null, markXid: null }
  let raisedAtMs = Number.NEGATIVE_INFINITY
  let asleep = false
  let seenAtMs = Number.NEGATIVE_INFINITY
  let keptAtMs = Number.NEGATIVE_INFINITY
  let heldSinceMs: number | null = null
  let toldAtMs: number | null = null

  async function showSeen(): Promise<void> {
    await db.keepSeen(owner, asleep)
    seenAtMs = clock.nowMs()
  }

  return {
    /** Where to read from. */
    async keep(): Promise<ReadFrom> {
      if (clock.nowMs() - seenAtMs >= SEEN_EVERY_MS) {
        await showSeen()
        from = await db.readFrom()
      }
      if (clock.nowMs() - keptAtMs >= KEPT_EVERY_MS) {
        keptAtMs = clock.nowMs()
        // Somebody's lock or a role without the right: messages go on all the same.
        await db.keepPartitions(settings.retentionMs).catch(onError)
      }
      if (clock.nowMs() - raisedAtMs >= FLOOR_EVERY_MS) {
        raisedAtMs = clock.nowMs()
        mark = await db.raiseFloor(mark, from)
      }
      return { from, floor: mark.floor }
    },
    async setAsleep(whether: boolean): Promise<void> {
      asleep = whether
      await showSeen()
    },
    async look(round: RelayRound): Promise<RelayRound> {
      const nowMs = clock.nowMs()
      if (round.kind !== 'held_back') {
        heldSinceMs = null
        if (toldAtMs !== null) onHeldBack(null)
        toldAtMs = null
        return round
      }
      heldSinceMs ??= nowMs
      if (nowMs - heldSinceMs < heldBackMs || (toldAtMs !== null && nowMs - toldAtMs < SEEN_EVERY_MS))
        return round
      const holder = await db.readHolder()
      if (holder !== null) {
        toldAtMs = nowMs
        onHeldBack(holder)
      }
      return round
    },
  }
}

import { AsyncResource } from 'node:async_hooks'
import type { Clock } from '@/sdk/clock'
import { currentStrand, type Strand, spawnTimer } from './strands'

/** Where every history begins. Nothing in a history reads another clock. */
export const START_MS = Date.UTC(2026, 0, 5, 12)

type Timer = {
  atMs: number
  order: number
  strand: Strand | undefined
  background: boolean
  fire: () => void
}

/** One simulated time for everybody; the console's and the store's clocks may be apart from it. */
export class SimulatedTime {
  nowMs = START_MS
  consoleAheadMs = 0
  storeAheadMs = 0
  private timers: Timer[] = []
  private order = 0

  get storeMs(): number {
    return this.nowMs + this.storeAheadMs
  }

  /** The SDK's clock. A timer belongs to the process that set it: a dead one never fires, a frozen one fires late. */
  readonly sdk: Clock = {
    nowMs: () => this.nowMs,
    after: (delayMs, call, kind) => {
      const strand = currentStrand()
      const timer: Timer = {
        atMs: this.nowMs + delayMs,
        order: this.order++,
        strand,
        background: kind === 'background',
        // What somebody waits for goes on as that strand; a heartbeat is one of its own.
        fire: kind === 'background' ? call : AsyncResource.bind(call),
      }
      this.timers.push(timer)
      if (strand !== undefined && !timer.background) strand.sleeping += 1
      return () => this.forget(timer)
    },
  }

  private forget(timer: Timer): void {
    const place = this.timers.indexOf(timer)
    if (place < 0) return
    this.timers.splice(place, 1)
    if (timer.strand !== undefined && !timer.background) timer.strand.sleeping -= 1
  }

  /** The next timer that may fire until then; null = none. `foreground` = only what somebody waits for. */
  private nextUntil(untilMs: number, foreground = false): Timer | null {
    const due = this.timers
      .filter(({ atMs, strand }) => atMs <= untilMs && !(strand?.process.dead ?? false))
      .filter(({ strand }) => !(strand?.process.frozen ?? false))
      .filter(({ background }) => !foreground || !background)
    due.sort((a, b) => a.atMs - b.atMs || a.order - b.order)
    return due[0] ?? null
  }

  /** Moves on, firing what is due in its order; `settle` lets the fired one end before the next. */
  async advance(ms: number, settle: () => Promise<void>, moved: () => void): Promise<void> {
    const untilMs = this.nowMs + ms
    for (;;) {
      const timer = this.nextUntil(untilMs)
      const atMs = Math.max(this.nowMs, Math.min(timer?.atMs ?? untilMs, untilMs))
      if (atMs !== this.nowMs) {
        this.nowMs = atMs
        moved()
      }
      if (timer === null) return
      this.forget(timer)
      if (timer.background && timer.strand !== undefined) spawnTimer(timer.strand, timer.fire)
      else timer.fire()
      await settle()
    }
  }

  /** How long until somebody who waits goes on; null = nobody waits. */
  msToNextWaiter(): number | null {
    const next = this.nextUntil(Number.MAX_SAFE_INTEGER, true)
    return next === null ? null : Math.max(0, next.atMs - this.nowMs)
  }

  reset(): void {
    this.timers = []
    this.nowMs = START_MS
    this.consoleAheadMs = 0
    this.storeAheadMs = 0
  }
}

import { type Clock, isWithin } from '@/lib/core/clock'
import { databaseTrouble } from '@/lib/postgres-errors'

/** Older trouble is over: a process that works tries something more often than this. */
const RECENT_MS = 30_000

/** What the database refused lately: a process that lives may still be unable to do its work, and says so. */
export type Trouble = { note(error: unknown): void; over(): void; recent(): string | undefined }

export function createTrouble(clock: Clock): Trouble {
  let last: { text: string; atMs: number } | undefined
  return {
    note(error) {
      const text = databaseTrouble(error)
      if (text !== null) last = { text, atMs: clock.now().getTime() }
    },
    over() {
      last = undefined
    },
    recent: () =>
      last !== undefined && isWithin(RECENT_MS, clock.now().getTime(), last.atMs) ? last.text : undefined,
  }
}

import type { Db } from '@/lib/db'
import { notify } from '@/lib/live-events'
import type { Log } from '@/lib/log'

/** The console's live stream needs no more. */
const EVERY_MS = 1_000

/** Tells the console that telemetry changed, at most once a second, and once after the last change. */
export function createAnnouncer(db: Db, log: Log): { announce(): void; stop(): void } {
  let timer: NodeJS.Timeout | undefined
  let pending = false
  const send = () => {
    pending = false
    timer = setTimeout(() => {
      timer = undefined
      if (pending) send()
    }, EVERY_MS).unref()
    notify(db.pool, { kind: 'telemetry' }).catch((error: unknown) =>
      log.warn({ err: error }, 'notify failed'),
    )
  }
  return {
    announce() {
      if (timer === undefined) send()
      else pending = true
    },
    stop() {
      clearTimeout(timer)
      pending = false
    },
  }
}

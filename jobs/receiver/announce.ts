import type { Db } from '@/lib/db'
import type { Log } from '@/lib/log'

const CHANNEL = 'idemscope'
const PAYLOAD = JSON.stringify({ kind: 'telemetry' })
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
    db.pool
      .query('SELECT pg_notify($1, $2)', [CHANNEL, PAYLOAD])
      .catch((error: unknown) => log.warn({ err: error }, 'notify failed'))
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

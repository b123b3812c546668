import type { Clock } from '@/lib/core/clock'
import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import type { Db } from '@/lib/db'
import type { Log } from '@/lib/log'
import { storeBatch } from '@/lib/telemetry/ingest/store-batch'
import { storeLogs } from '@/lib/telemetry/ingest/store-logs'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import type { InterpretedAny } from './read-request'

export type StoreOptions = {
  db: Db
  clock: Clock
  log: Log
  /** Told how many spans were new, after COMMIT. */
  onCommit: (spans: number) => void
  /** Keeps what stops the work, for readiness. */
  trouble: { note: (error: unknown) => void; over: () => void }
}

export type Stored = { kind: 'stored' } | { kind: 'refused' } | { kind: 'unavailable' }

/** Data exception, constraint violation, program limit: the same rows fail every time. */
const REFUSED_CLASSES: ReadonlySet<string> = new Set(['21', '22', '23', '54'])

/** Stores requests of one signal in one transaction and says which kind of failure it was. */
export async function storeTogether(
  options: StoreOptions,
  requests: readonly InterpretedAny[],
): Promise<Stored> {
  const { log, onCommit, trouble } = options
  for (let attempt = 1; ; attempt++) {
    try {
      const inserted = await store(options, requests)
      trouble.over()
      if (inserted > 0) onCommit(inserted)
      return { kind: 'stored' }
    } catch (error) {
      const sqlState = sqlStateOf(error) ?? ''
      trouble.note(error)
      if (attempt === 1 && sqlState === SQLSTATE.checkViolation && (await partitionsMade(options))) continue
      const refused = REFUSED_CLASSES.has(sqlState.slice(0, 2)) && sqlState.length === 5
      log.error({ err: error, requests: requests.length, refused }, 'telemetry could not be stored')
      return { kind: refused ? 'refused' : 'unavailable' }
    }
  }
}

async function store({ db, clock }: StoreOptions, requests: readonly InterpretedAny[]): Promise<number> {
  const receivedAt = clock.now()
  const spans = requests.flatMap((request) => (request.signal === 'traces' ? [request.rendered] : []))
  const logs = requests.flatMap((request) => (request.signal === 'logs' ? request.accepted : []))
  const stored = [await storeBatch(db, spans, receivedAt), await storeLogs(db, logs, receivedAt)]
  return stored.reduce((sum, { inserted }) => sum + inserted, 0)
}

/** The hourly maker was late: the day has changed under a receiver that slept. */
async function partitionsMade({ db, clock, log }: StoreOptions): Promise<boolean> {
  try {
    return (await ensurePartitions(db, clock)) > 0
  } catch (error) {
    log.error({ err: error }, 'partitions could not be made')
    return false
  }
}

import type { Clock } from '@/lib/core/clock'
import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import { type Db, inTransaction } from '@/lib/db'
import {
  DELIVERY_DAYS,
  EFFECT_DAYS,
  FUTURE_MAX_MS,
  KEYED_REQUEST_DAYS,
  LATE_MAX_MS,
  LOG_DAYS,
  ROLL_UP_DAYS,
  SPAN_DAYS,
} from './retention'
import { DERIVED_KINDS } from './rollup/derive'
import { ROLL_UP_KINDS } from './rollup/roll-up-steps'
import { DAY_MS } from './window'

export type PartitionKind = 'span' | 'keyed_request' | 'effect' | 'delivery' | 'log'
const KINDS = ['span', 'keyed_request', 'effect', 'delivery', 'log'] as const satisfies PartitionKind[]

/** Partitions are made this far ahead of the horizon, so that a maker may be late by a day. */
const AHEAD_MS = 2 * DAY_MS
/** Dropping waits at most this long for readers of the partition, because intake queues up behind it. */
const LOCK_TIMEOUT_MS = 50
/** Keys and roll-ups are deleted in pieces, so that no transaction is long. */
const DELETE_ROWS = 10_000

const ENSURE = 'SELECT telemetry.ensure_partitions($1, $2::date, $3::date) AS made'

const utcDay = (at: Date) => at.toISOString().slice(0, 10)

const ROLL_UP_TABLES = [
  'minute_intake',
  'minute_latency_point',
  'ten_latency_route',
  ...(['minute', 'hour', 'day'] as const).flatMap((step) =>
    [...ROLL_UP_KINDS, ...DERIVED_KINDS].map((kind) => `${step}_${kind}`),
  ),
]

/** Makes the missing partitions for the whole horizon of intake; call it at start and every hour. Returns how many. */
export async function ensurePartitions(db: Db, clock: Clock): Promise<number> {
  const nowMs = clock.now().getTime()
  return ensureDays(db, KINDS, new Date(nowMs - LATE_MAX_MS), new Date(nowMs + FUTURE_MAX_MS + AHEAD_MS))
}

/** Makes the missing partitions of `kinds` from one day to another, both included. */
export async function ensureDays(
  db: Db,
  kinds: readonly PartitionKind[],
  first: Date,
  last: Date,
): Promise<number> {
  let made = 0
  for (const kind of kinds) {
    const { rows } = await db.pool.query(ENSURE, [kind, utcDay(first), utcDay(last)])
    made += Number(rows[0]?.made ?? 0)
  }
  return made
}

export type RetentionDays = {
  span: number
  keyed_request: number
  effect: number
  rollUp: number
  /** absent: the default */
  delivery?: number
  log?: number
}
export const RETENTION_DAYS: Required<RetentionDays> = {
  span: SPAN_DAYS,
  keyed_request: KEYED_REQUEST_DAYS,
  effect: EFFECT_DAYS,
  rollUp: ROLL_UP_DAYS,
  delivery: DELIVERY_DAYS,
  log: LOG_DAYS,
}

export type Dropped = { partitions: string[]; busy: PartitionKind[]; keys: number; rollUps: number }

/** Drops what is past its days. A partition that somebody reads is left for the next call and named in `busy`. */
export async function dropExpired(
  db: Db,
  clock: Clock,
  asked: RetentionDays = RETENTION_DAYS,
): Promise<Dropped> {
  const days = { ...RETENTION_DAYS, ...asked }
  const nowMs = clock.now().getTime()
  const dropped: Dropped = { partitions: [], busy: [], keys: 0, rollUps: 0 }
  for (const kind of KINDS) {
    const before = utcDay(new Date(nowMs - days[kind] * DAY_MS))
    for (;;) {
      const partition = await dropOldest(db, kind, before)
      if (partition === 'busy') dropped.busy.push(kind)
      if (partition === 'busy' || partition === null) break
      dropped.partitions.push(partition)
    }
  }
  const keyDays = Math.max(days.keyed_request, days.effect)
  dropped.keys = await deleteOld(db, 'telemetry.key', 'last_seen_at', new Date(nowMs - keyDays * DAY_MS))
  dropped.keys += await deleteOld(
    db,
    'telemetry.message',
    'last_at',
    new Date(nowMs - days.delivery * DAY_MS),
  )
  for (const table of ROLL_UP_TABLES) {
    dropped.rollUps += await deleteOld(
      db,
      `telemetry.${table}`,
      'minute',
      new Date(nowMs - days.rollUp * DAY_MS),
    )
  }
  dropped.rollUps += await deleteOld(
    db,
    'telemetry.store_sample',
    'at',
    new Date(nowMs - days.rollUp * DAY_MS),
  )
  return dropped
}

async function dropOldest(db: Db, kind: PartitionKind, before: string): Promise<string | null | 'busy'> {
  try {
    return await inTransaction(db.pool, async (client) => {
      await client.query(`SET LOCAL lock_timeout = '${LOCK_TIMEOUT_MS}ms'`)
      const { rows } = await client.query(
        'SELECT telemetry.drop_oldest_partition($1, $2::date) AS partition',
        [kind, before],
      )
      return rows[0]?.partition ?? null
    })
  } catch (error) {
    if (sqlStateOf(error) === SQLSTATE.lockNotAvailable) return 'busy'
    throw error
  }
}

/** Table and column are constants of this file. */
async function deleteOld(db: Db, table: string, column: string, before: Date): Promise<number> {
  const sql = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table} WHERE ${column} < $1 LIMIT ${DELETE_ROWS})) AND ${column} < $1`
  let deleted = 0
  for (;;) {
    const { rowCount } = await db.pool.query(sql, [before])
    deleted += rowCount ?? 0
    if ((rowCount ?? 0) < DELETE_ROWS) return deleted
  }
}

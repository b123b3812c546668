import type { Pool } from 'pg'
import { quoteIdentifier } from '../stores/postgres/quote'
import type { OutboxMessage } from './message'

/** The oldest open transaction that has written. Times and names are null where this role may not see them. */
export type HorizonHolder = {
  /** null = a prepared transaction. */
  pid: number | null
  xid: string
  since: Date | null
  application: string | null
  userName: string | null
  database: string | null
  /** The id of a prepared transaction. */
  prepared: string | null
}

export type Claim = { fence: string; messages: OutboxMessage[]; parked: number }

/** Where reading begins: the lowest id, and the highest seq of which nothing is left. */
export type ReadFrom = { from: string; floor: string }

type ClaimBounds = { leaseMs: number; lanesMax: number; batch: number }

export type FloorMark = { floor: string; markSeq: string | null; markXid: string | null }

export type Failure = { id: string; error: string; retryMs: number | null }

type ClaimedRow = {
  fence: string
  parked: string | null
  below: boolean
  lane: number
  id: string | null
  attempts: number
  topic: string
  key: string | null
  type: string
  headers: Record<string, string>
  payload: Buffer
  created_at: Date
}

/** Errors are texts of others, of any length. */
const ERROR_LENGTH_MAX = 2_000

/** The statements of a relay, each one round trip. */
export function openOutboxDatabase(pool: Pool, schema: string, prepare = true) {
  const at = quoteIdentifier(schema)
  const named = (name: string, text: string) =>
    prepare && schema.length <= 30 ? { name: `${schema}.outbox.${name}`, text } : { text }
  const claimStatement = named(
    'claim',
    `SELECT c.fence, m.* FROM ${at}.idem_outbox_claim($1, $2, $3, $5, $6) c
     LEFT JOIN LATERAL ${at}.idem_outbox_take(c.lanes, c.horizon, $4, $5, $6) m ON true`,
  )
  const settleStatement = named(
    'settle',
    `SELECT ${at}.idem_outbox_settle($1, $2, $3, $4, $5, $6, $7) AS marked`,
  )

  const floorStatement = named(
    'floor',
    `SELECT p_floor AS floor, p_mark_seq AS "markSeq", p_mark_xid AS "markXid"
     FROM ${at}.idem_outbox_floor($1, $2, $3, $4)`,
  )

  return {
    /** null = no lane that is free has work. */
    async claim(
      owner: string,
      { leaseMs, lanesMax, batch }: ClaimBounds,
      { from, floor }: ReadFrom,
    ): Promise<Claim | null> {
      const { rows } = await pool.query<ClaimedRow>({
        ...claimStatement,
        values: [owner, leaseMs, lanesMax, batch, from, floor],
      })
      const [first] = rows
      if (first === undefined) return null
      const parked = rows.find((row) => row.parked !== null)?.parked ?? '0'
      return { fence: first.fence, messages: belowHorizon(rows).map(toMessage), parked: Number(parked) }
    },
    /** Returns how many were marked: fewer = another relay has lanes of this claim. */
    async settle(
      fence: string,
      sent: string[],
      failures: readonly Failure[],
      batch: number,
      { from }: ReadFrom,
    ) {
      const { rows } = await pool.query<{ marked: string }>({
        ...settleStatement,
        values: [
          fence,
          sent,
          failures.map(({ id }) => id),
          failures.map(({ error }) => error.replaceAll('\0', '').slice(0, ERROR_LENGTH_MAX)),
          failures.map(({ retryMs }) => retryMs),
          batch,
          from,
        ],
      })
      return Number(rows[0]?.marked ?? 0)
    },
    async readHolder(): Promise<HorizonHolder | null> {
      const { rows } = await pool.query<HorizonHolder>(
        `SELECT pid, xid, since, application, user_name AS "userName", database, prepared FROM ${at}.idem_outbox_holder()`,
      )
      return rows[0] ?? null
    },
    async keepSeen(owner: string, asleep: boolean): Promise<void> {
      await pool.query(
        `INSERT INTO ${at}.idem_outbox_relay AS r (owner, asleep) VALUES ($1, $2)
         ON CONFLICT (owner) DO UPDATE SET seen_at = clock_timestamp(), asleep = $2`,
        [owner, asleep],
      )
    },
    /** Of this relay, and of those that were not seen for an hour. */
    async forget(owner: string): Promise<void> {
      await pool.query(
        `DELETE FROM ${at}.idem_outbox_relay r WHERE r.owner = $1 OR r.seen_at < clock_timestamp() - interval '1 hour'`,
        [owner],
      )
    },
    async readFrom(): Promise<string> {
      const { rows } = await pool.query<{ from: string }>(`SELECT ${at}.idem_outbox_from() AS from`)
      return rows[0]?.from ?? '00000000-0000-0000-0000-000000000000'
    },
    async raiseFloor({ floor, markSeq, markXid }: FloorMark, from: string): Promise<FloorMark> {
      const { rows } = await pool.query<FloorMark>({
        ...floorStatement,
        values: [floor, markSeq, markXid, from],
      })
      return rows[0] ?? { floor, markSeq, markXid }
    },
    /** Makes partitions ahead and drops what is done: one a call. */
    async keepPartitions(retentionMs: number): Promise<void> {
      await pool.query(`SELECT ${at}.idem_outbox_ensure_partitions()`)
      await pool.query(`SELECT ${at}.idem_outbox_collect($1)`, [retentionMs])
    },
  }
}

export type OutboxDatabase = ReturnType<typeof openOutboxDatabase>

/** In each lane what comes before the first message of a transaction that is not below the horizon. */
function belowHorizon(rows: readonly ClaimedRow[]): MessageRow[] {
  const ended = new Set<number>()
  return rows.filter((row): row is MessageRow => {
    if (row.id === null) return false
    if (!row.below) ended.add(row.lane)
    return !ended.has(row.lane)
  })
}

type MessageRow = ClaimedRow & { id: string }

const toMessage = (row: MessageRow): OutboxMessage => ({
  id: row.id,
  topic: row.topic,
  key: row.key,
  type: row.type,
  headers: row.headers,
  payload: row.payload,
  createdAt: row.created_at,
  attempt: row.attempts + 1,
})

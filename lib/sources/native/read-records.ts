import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { isUnreadable, type RecordRow, type UnreadableRow } from '../contracts'
import { horizonSchema, takeHorizon } from '../postgres-feed/horizon'
import type { SourcePool } from '../postgres-pool'
import type { NativeConfig } from './config'
import { parseRecord, positionOf, RECORD_JSON, tryRow } from './rows'

const position = z.object({
  /** Records are read in order of expiry: with one TTL a tier, that is the order of their completion. */
  expiresAt: z.string(),
  scopeId: z.number(),
  keyHex: z.string(),
  ttlMs: z.number(),
})
const cursorSchema = z.object({
  tiers: z.record(z.string(), position),
  /** Tiers that this pass has read to their end. */
  done: z.array(z.number()),
  /** Taken when this pass, or the last one, began. */
  horizon: horizonSchema.nullable().default(null),
  /** A pass is under way. */
  walking: z.boolean().default(false),
})
type Cursor = z.infer<typeof cursorSchema>

const tierRow = z.object({ tier: z.number(), ttl_ms: z.coerce.number() })
const START = { expiresAt: '-infinity', scopeId: 0, keyHex: '' }

const PAGE = `
  SELECT to_jsonb(x) AS row FROM (
    ${RECORD_JSON}
    WHERE r.tier = $1 AND r.expires_at >= $2::timestamptz
      AND (r.expires_at, r.scope_id, r.key) > ($2::timestamptz, $3, decode($4, 'hex'))
    ORDER BY r.expires_at, r.scope_id, r.key
    LIMIT $5
  ) x`

/** Where the records of a tier lie that end at a time or later, with the overlap for clocks that differ. */
const EXPIRY_FROM = `SELECT ($1::timestamptz + ($2::bigint - $3::bigint) * interval '1 millisecond')::text AS at`

/** When a tier's TTL is shortened, new records expire before older ones: step back by the difference. */
const SHORTENED = `SELECT ($1::timestamptz - $2::bigint * interval '1 millisecond')::text AS at`

type Reader = { pool: SourcePool; config: NativeConfig; clock: Clock }

/**
 * Each tier along its expiry. A pass begins where a transaction that has ended since the last one can have written: a
 * record that is written in the service's own transaction commits long after it was stamped.
 */
export async function readRecords(
  { pool, config, clock }: Reader,
  cursorText: string | null,
  limit: number,
): Promise<{ items: RecordRow[]; cursor: string; more: boolean; unreadable: UnreadableRow[] }> {
  const last = cursorText === null ? START_CURSOR : cursorSchema.parse(JSON.parse(cursorText))
  const cursor = last.walking ? last : await beginPass({ pool, config, clock }, last)
  const tiers = await pool.query('SELECT tier, ttl_ms FROM idem_tier ORDER BY tier')
  const items: RecordRow[] = []
  const unreadable: UnreadableRow[] = []
  for (const raw of tiers) {
    const { tier, ttl_ms: ttlMs } = tierRow.parse(raw)
    if (cursor.done.includes(tier)) continue
    const left = limit - items.length - unreadable.length
    if (left === 0) return { items, unreadable, cursor: JSON.stringify(cursor), more: true }
    const from = await startOf(pool, cursor.tiers[tier], ttlMs)
    const rows = await pool.query(PAGE, [tier, from.expiresAt, from.scopeId, from.keyHex, left])
    for (const { row } of rows) {
      const record = tryRow(row, (json) => parseRecord(json, config))
      if (isUnreadable(record)) unreadable.push(record)
      else items.push(record)
    }
    const end = rows.at(-1)
    cursor.tiers[tier] = { ...(end === undefined ? from : positionOf(end.row)), ttlMs }
    if (rows.length === left) return { items, unreadable, cursor: JSON.stringify(cursor), more: true }
    cursor.done.push(tier)
  }
  return { items, unreadable, cursor: JSON.stringify({ ...cursor, done: [], walking: false }), more: false }
}

const START_CURSOR: Cursor = { tiers: {}, done: [], horizon: null, walking: false }

async function beginPass({ pool, config, clock }: Reader, last: Cursor): Promise<Cursor> {
  const { horizon, from } = await takeHorizon(pool, last.horizon, clock.now().getTime())
  const cursor: Cursor = { tiers: {}, done: [], horizon, walking: true }
  if (from === null) return cursor
  for (const [tier, { ttlMs }] of Object.entries(last.tiers)) {
    const [row] = await pool.query(EXPIRY_FROM, [from.at, ttlMs, config.overlapMs])
    cursor.tiers[tier] = { ...START, expiresAt: z.object({ at: z.string() }).parse(row).at, ttlMs }
  }
  return cursor
}

async function startOf(pool: SourcePool, from: z.infer<typeof position> | undefined, ttlMs: number) {
  if (from === undefined) return START
  if (ttlMs >= from.ttlMs || from.expiresAt === '-infinity') return from
  const [row] = await pool.query(SHORTENED, [from.expiresAt, from.ttlMs - ttlMs])
  return { ...START, expiresAt: z.object({ at: z.string() }).parse(row).at }
}

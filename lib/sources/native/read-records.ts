import { z } from 'zod'
import type { RecordRow } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { NativeConfig } from './config'
import { parseRecord, RECORD_JSON } from './rows'

const position = z.object({
  /** Records are read in order of expiry: with one TTL a tier, that is the order of their completion. */
  expiresAt: z.string(),
  scopeId: z.number(),
  keyHex: z.string(),
  ttlMs: z.number(),
})
const cursorSchema = z.object({
  tiers: z.record(z.string(), position),
  /** Tiers that this pass has read to their end: their overlap is for the next pass. */
  done: z.array(z.number()),
})
type Cursor = z.infer<typeof cursorSchema>

const tierRow = z.object({ tier: z.number(), ttl_ms: z.coerce.number(), now: z.string() })
const START = { expiresAt: '-infinity', scopeId: 0, keyHex: '' }

const PAGE = `
  SELECT to_jsonb(x) AS row FROM (
    ${RECORD_JSON}
    WHERE r.tier = $1 AND r.expires_at >= $2::timestamptz
      AND (r.expires_at, r.scope_id, r.key) > ($2::timestamptz, $3, decode($4, 'hex'))
    ORDER BY r.expires_at, r.scope_id, r.key
    LIMIT $5
  ) x`

/** When a tier is read to its end, the next pass begins this overlap before; `$1` is the time before the last page. */
const NEXT_START = `SELECT ($1::timestamptz + ($2::bigint - $3::bigint) * interval '1 millisecond')::text AS at`

/** When a tier's TTL is shortened, new records expire before older ones: step back by the difference. */
const SHORTENED = `SELECT ($1::timestamptz - $2::bigint * interval '1 millisecond')::text AS at`

export async function readRecords(
  pool: SourcePool,
  config: NativeConfig,
  cursorText: string | null,
  limit: number,
): Promise<{ items: RecordRow[]; cursor: string; more: boolean }> {
  const cursor: Cursor =
    cursorText === null ? { tiers: {}, done: [] } : cursorSchema.parse(JSON.parse(cursorText))
  const tiers = await pool.query(
    'SELECT tier, ttl_ms, clock_timestamp()::text AS now FROM idem_tier ORDER BY tier',
  )
  const items: RecordRow[] = []
  for (const raw of tiers) {
    const { tier, ttl_ms: ttlMs, now } = tierRow.parse(raw)
    if (cursor.done.includes(tier)) continue
    const left = limit - items.length
    if (left === 0) return { items, cursor: JSON.stringify(cursor), more: true }
    const from = await startOf(pool, cursor.tiers[tier], ttlMs)
    const rows = await pool.query(PAGE, [tier, from.expiresAt, from.scopeId, from.keyHex, left])
    const records = rows.map((row) => parseRecord(row.row, config))
    items.push(...records.map(({ position: _, ...record }) => record))
    const last = records.at(-1)
    if (records.length === left && last !== undefined) {
      cursor.tiers[tier] = { ...last.position, ttlMs }
      return { items, cursor: JSON.stringify(cursor), more: true }
    }
    const [next] = await pool.query(NEXT_START, [now, ttlMs, config.overlapMs])
    cursor.tiers[tier] = { ...START, expiresAt: z.object({ at: z.string() }).parse(next).at, ttlMs }
    cursor.done.push(tier)
  }
  return { items, cursor: JSON.stringify({ ...cursor, done: [] }), more: false }
}

async function startOf(pool: SourcePool, from: z.infer<typeof position> | undefined, ttlMs: number) {
  if (from === undefined) return START
  if (ttlMs >= from.ttlMs || from.expiresAt === '-infinity') return from
  const [row] = await pool.query(SHORTENED, [from.expiresAt, from.ttlMs - ttlMs])
  return { ...START, expiresAt: z.object({ at: z.string() }).parse(row).at }
}

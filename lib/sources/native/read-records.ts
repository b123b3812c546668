import { z } from 'zod'
import type { Clock } from '@/lib/core/clock'
import { isUnreadable, type RecordRow, type UnreadableRow } from '../contracts'
import { type Horizon, horizonSchema, takeHorizon } from '../postgres-feed/horizon'
import type { SourcePool } from '../postgres-pool'
import type { NativeConfig } from './config'
import { parseRecord, positionOf, RECORD_JSON, tryRow } from './rows'

const position = z.object({
  /** Records are read in order of expiry: with one TTL a tier, that is the order of their completion. */
  expiresAt: z.string(),
  scopeId: z.number(),
  keyHex: z.string(),
  /** As this pass began. */
  ttlMs: z.number(),
  /** Another one with each time that the TTL was shortened. */
  wideUntil: z.string().nullable().default(null),
  /** TTLs of before, and up to when a record can have been stamped under them. */
  earlier: z.array(z.object({ ttlMs: z.number(), until: z.string() })).default([]),
})
type Position = z.infer<typeof position>
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

const TIERS = `SELECT t.tier, t.ttl_ms, to_jsonb(t)->>'wide_until' AS wide_until FROM idem_tier t ORDER BY t.tier`

const tierRow = z.object({ tier: z.number(), ttl_ms: z.coerce.number(), wide_until: z.string().nullable() })
type Tier = z.infer<typeof tierRow>
const START = { expiresAt: '-infinity', scopeId: 0, keyHex: '', earlier: [] }

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
  const tiers = (await pool.query(TIERS)).map((raw) => tierRow.parse(raw))
  // The TTLs are read first: under those that are not seen yet nothing is stamped before its mark.
  const cursor = last.walking ? last : await beginPass({ pool, config, clock }, last, tiers)
  const items: RecordRow[] = []
  const unreadable: UnreadableRow[] = []
  for (const { tier, ttl_ms: ttlMs, wide_until: wideUntil } of tiers) {
    if (cursor.done.includes(tier)) continue
    const left = limit - items.length - unreadable.length
    if (left === 0) return { items, unreadable, cursor: JSON.stringify(cursor), more: true }
    const from = cursor.tiers[tier] ?? { ...START, ttlMs, wideUntil }
    const rows = await pool.query(PAGE, [tier, from.expiresAt, from.scopeId, from.keyHex, left])
    for (const { row } of rows) {
      const record = tryRow(row, (json) => parseRecord(json, config))
      if (isUnreadable(record)) unreadable.push(record)
      else items.push(record)
    }
    const end = rows.at(-1)
    cursor.tiers[tier] = { ...from, ...(end === undefined ? {} : positionOf(end.row)) }
    if (rows.length === left) return { items, unreadable, cursor: JSON.stringify(cursor), more: true }
    cursor.done.push(tier)
  }
  return { items, unreadable, cursor: JSON.stringify({ ...cursor, done: [], walking: false }), more: false }
}

const START_CURSOR: Cursor = { tiers: {}, done: [], horizon: null, walking: false }

async function beginPass({ pool, config, clock }: Reader, last: Cursor, tiers: Tier[]): Promise<Cursor> {
  const { horizon, from } = await takeHorizon(pool, last.horizon, clock.now().getTime())
  const cursor: Cursor = { tiers: {}, done: [], horizon, walking: true }
  const oldest = oldestOf(horizon)
  for (const { tier, ttl_ms: ttlMs, wide_until: wideUntil } of tiers) {
    const before = last.tiers[tier]
    if (before === undefined) continue
    const all = earlierTtls(before, { ttlMs, wideUntil }, horizon.mark.at)
    const earlier = all.filter(({ until }) => until > oldest)
    cursor.tiers[tier] = { ...START, ttlMs, wideUntil, earlier }
    if (from === null) continue
    const least = Math.min(ttlMs, ...all.filter(({ until }) => until > from.at).map((each) => each.ttlMs))
    const [row] = await pool.query(EXPIRY_FROM, [from.at, least, config.overlapMs])
    cursor.tiers[tier].expiresAt = z.object({ at: z.string() }).parse(row).at
  }
  return cursor
}

/**
 * The TTLs under which a record can have been stamped that is still to come: it may commit long after a change. How short a
 * TTL was between two passes nobody knows: it is taken for none.
 */
const earlierTtls = (
  before: Position,
  now: Pick<Position, 'ttlMs' | 'wideUntil'>,
  until: string,
): Position['earlier'] => [
  ...before.earlier,
  ...(before.ttlMs === now.ttlMs ? [] : [{ ttlMs: before.ttlMs, until }]),
  ...(before.wideUntil === now.wideUntil ? [] : [{ ttlMs: 0, until }]),
]

/** No later pass begins before this. */
const oldestOf = ({ mark, open }: Horizon): string =>
  [mark.at, ...open.map(({ from }) => from?.at ?? '')].sort()[0] ?? ''

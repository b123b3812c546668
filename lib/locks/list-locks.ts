import { z } from 'zod'
import type { LockFilter } from '@/lib/core/lock-filter'
import { decodeCursor, encodeCursor, type Page, type PageInput } from '@/lib/core/pages'
import type { KeyState, LockVerdict } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { type ProviderAnswer, providerAnswerSchema } from './assess/provider-answer'

export type LockView = {
  id: string
  source: string
  scope: string
  key: string
  state: KeyState
  /** Since it was first acquired, in seconds. */
  age: number
  holder: string
  verdict: LockVerdict
  reason: string
  version: string
  fence: string
  attempts: number
  tier: string | null
  step: string | null
  traceId: string | null
  acquiredAt: string
  leaseUntil: string
  heartbeatAt: string
  providerAnswer: ProviderAnswer
  checkedAt: string
  goneAt: string | null
}

const rowSchema = z.object({
  id: z.string(),
  source_id: z.string(),
  scope: z.string(),
  key: z.string(),
  state: z.string(),
  holder: z.string(),
  verdict: z.string(),
  verdict_reason: z.string(),
  version: z.string(),
  fence: z.string(),
  attempts: z.number(),
  tier: z.string().nullable(),
  step: z.string().nullable(),
  trace_id: z.string().nullable(),
  acquired_at: z.date(),
  acquired_text: z.string(),
  lease_until: z.date(),
  heartbeat_at: z.date(),
  provider_answer: providerAnswerSchema,
  checked_at: z.date(),
  gone_at: z.date().nullable(),
})

/** The filter's condition; a parameter that is null filters nothing. $1–$10. */
const MATCHES = `
  ($1::text[] IS NULL OR state = ANY ($1)) AND ($2::text[] IS NULL OR verdict = ANY ($2))
  AND ($3::text IS NULL OR source_id = $3) AND ($4::text IS NULL OR scope = $4) AND ($5::text IS NULL OR key = $5)
  AND ($6::boolean IS NOT TRUE OR state IN ('lease_expired', 'unknown'))
  AND ($7::boolean IS TRUE OR gone_at IS NULL) AND ($8::text[] IS NULL OR id = ANY ($8))
  AND ($9::text IS NULL OR substr(scope, strpos(scope, '/') + 1) = $9)
  AND ($10::text IS NULL OR split_part(scope, '/', 1) = $10)`

const matchValues = (filter: LockFilter): unknown[] => [
  filter.state ?? null,
  filter.verdict ?? null,
  filter.source ?? null,
  filter.scope ?? null,
  filter.key ?? null,
  filter.stuckOnly ?? false,
  filter.goneToo ?? false,
  filter.ids ?? null,
  filter.endpoint ?? null,
  filter.client ?? null,
]

const LIST = `
  SELECT id, source_id, scope, key, state, holder, verdict, verdict_reason, version, fence::text, attempts, tier, step,
    trace_id, acquired_at, (acquired_at AT TIME ZONE 'UTC')::text AS acquired_text, lease_until, heartbeat_at,
    provider_answer, checked_at, gone_at
  FROM lock
  WHERE ${MATCHES}
    AND ($11::text IS NULL OR (acquired_at, id) > ($11::timestamp AT TIME ZONE 'UTC', $12))
  ORDER BY acquired_at, id LIMIT $13`

const cursorShape = z.tuple([z.string(), z.string()])

/** The oldest first: those have waited longest. As of the last check of the locks. */
export async function listLocks(
  db: Db,
  filter: LockFilter,
  page: PageInput,
  now: Date,
): Promise<Page<LockView>> {
  const after = page.cursor === undefined ? null : decodeCursor(page.cursor, cursorShape)
  const values = [...matchValues(filter), after?.[0] ?? null, after?.[1] ?? null, page.limit + 1]
  const rows = (await db.pool.query(LIST, values)).rows.map((row) => rowSchema.parse(row))
  const items = rows.slice(0, page.limit)
  const last = items.at(-1)
  return {
    items: items.map((row) => toView(row, now)),
    next: rows.length > page.limit && last !== undefined ? encodeCursor([last.acquired_text, last.id]) : null,
  }
}

const COUNT = `
  SELECT count(*) FILTER (WHERE state IN ('lease_expired', 'unknown'))::int AS stuck, count(*)::int AS live,
    count(*) FILTER (WHERE state IN ('lease_expired', 'unknown') AND verdict = 'investigate')::int AS investigate,
    min(acquired_at) FILTER (WHERE state IN ('lease_expired', 'unknown')) AS oldest_stuck_at,
    count(*) FILTER (WHERE acquired_at < $1)::int AS older,
    EXISTS (SELECT FROM lock_check c JOIN source s ON s.id = c.source_id WHERE c.more AND s.enabled) AS more
  FROM lock WHERE gone_at IS NULL`

/**
 * For Now: how many are stuck, since when, and how many are open longer than `olderThanMs`. `more` = a store holds more
 * than are listed: they are lower bounds.
 */
export async function countLocks(db: Db, now: Date, olderThanMs: number) {
  const { rows } = await db.pool.query<{
    stuck: number
    live: number
    investigate: number
    oldest_stuck_at: Date | null
    older: number
    more: boolean
  }>(COUNT, [new Date(now.getTime() - olderThanMs)])
  const [row] = rows
  return {
    stuck: row?.stuck ?? 0,
    live: row?.live ?? 0,
    investigate: row?.investigate ?? 0,
    oldestStuckAt: row?.oldest_stuck_at ?? null,
    openOlderThan: row?.older ?? 0,
    more: row?.more ?? false,
  }
}

function toView(row: z.infer<typeof rowSchema>, now: Date): LockView {
  return {
    id: row.id,
    source: row.source_id,
    scope: row.scope,
    key: row.key,
    state: row.state as KeyState,
    age: Math.max(0, Math.floor((now.getTime() - row.acquired_at.getTime()) / 1000)),
    holder: row.holder,
    verdict: row.verdict as LockVerdict,
    reason: row.verdict_reason,
    version: row.version,
    fence: row.fence,
    attempts: row.attempts,
    tier: row.tier,
    step: row.step,
    traceId: row.trace_id,
    acquiredAt: row.acquired_at.toISOString(),
    leaseUntil: row.lease_until.toISOString(),
    heartbeatAt: row.heartbeat_at.toISOString(),
    providerAnswer: row.provider_answer,
    checkedAt: row.checked_at.toISOString(),
    goneAt: row.gone_at?.toISOString() ?? null,
  }
}

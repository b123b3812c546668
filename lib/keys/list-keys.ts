import { z } from 'zod'
import { decodeCursor, encodeCursor, type Page, type PageInput } from '@/lib/core/pages'
import type { KeyState } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { formatKeyId } from './key-id'

export type KeyFilter = {
  /** The key, exactly. */
  key?: string | undefined
  scope?: string | undefined
  source?: string | undefined
  state?: KeyState | undefined
  /** The business reference that its record names. */
  reference?: string | undefined
}

export type KeyView = {
  id: string
  source: string
  scope: string
  key: string
  state: KeyState
  attempts: number | null
  status: number | null
  reference: string | null
  createdAt: string
  expiresAt: string | null
}

const rowSchema = z.object({
  seq: z.string(),
  source_id: z.string(),
  scope: z.string(),
  key: z.string(),
  state: z.string(),
  attempts: z.coerce.number().nullable(),
  http_status: z.number().nullable(),
  reference: z.string().nullable(),
  occurred_at: z.date(),
  expires_at: z.date().nullable(),
})

/** What is derived from time is derived at $6. */
const STATE = `
  CASE WHEN o.status = 'leased' AND o.lease_until <= $6 THEN 'lease_expired'
       WHEN o.status IN ('completed', 'failed_final') AND o.expires_at <= $6 THEN 'expired'
       ELSE o.status END`

/** By system, so that the index on (system, seq) serves it: the last changed first. Only a key's latest life. */
const LIST = `
  SELECT x.* FROM (SELECT DISTINCT system FROM source) s
  CROSS JOIN LATERAL (
    SELECT o.seq::text, o.source_id, o.scope, o.key, ${STATE} AS state, o.data->>'attempts' AS attempts, o.http_status,
      o.reference, o.occurred_at, o.expires_at
    FROM mirror.object o
    WHERE o.system = s.system AND o.side = 'intent' AND o.kind = 'key' AND o.gone_at IS NULL
      AND ($1::text IS NULL OR o.key = $1) AND ($2::text IS NULL OR o.scope = $2)
      AND ($3::text IS NULL OR o.source_id = $3) AND ($4::text IS NULL OR ${STATE} = $4)
      AND ($5::text IS NULL OR o.reference = $5) AND ($7::bigint IS NULL OR o.seq < $7)
      AND NOT EXISTS (
        SELECT FROM mirror.object later
        WHERE later.key = o.key AND later.scope = o.scope AND later.source_id = o.source_id AND later.kind = 'key'
          AND later.gone_at IS NULL AND later.occurred_at > o.occurred_at
      )
    ORDER BY o.seq DESC LIMIT $8
  ) x
  ORDER BY x.seq::bigint DESC LIMIT $8`

const cursorShape = z.tuple([z.string().regex(/^\d{1,19}$/)])

/** Keys as they were last staged, the last changed first. */
export async function listKeys(
  ctx: { db: Db; clock: { now(): Date } },
  filter: KeyFilter,
  page: PageInput,
): Promise<Page<KeyView>> {
  const before = page.cursor === undefined ? null : decodeCursor(page.cursor, cursorShape)[0]
  const { key, scope, source, state, reference } = filter
  const values = [key, scope, source, state, reference].map((value) => value ?? null)
  const { rows } = await ctx.db.pool.query(LIST, [...values, ctx.clock.now(), before, page.limit + 1])
  const parsed = rows.map((row) => rowSchema.parse(row))
  const items = parsed.slice(0, page.limit)
  const last = items.at(-1)
  return {
    items: items.map(toView),
    next: parsed.length > page.limit && last !== undefined ? encodeCursor([last.seq]) : null,
  }
}

function toView(row: z.infer<typeof rowSchema>): KeyView {
  const identity = { sourceId: row.source_id, scope: row.scope, key: row.key }
  return {
    id: formatKeyId(identity),
    source: row.source_id,
    scope: row.scope,
    key: row.key,
    state: row.state as KeyState,
    attempts: row.attempts,
    status: row.http_status,
    reference: row.reference,
    createdAt: row.occurred_at.toISOString(),
    expiresAt: row.expires_at?.toISOString() ?? null,
  }
}

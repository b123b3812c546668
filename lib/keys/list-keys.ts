import { z } from 'zod'
import { decodeCursor, encodeCursor, type Page, type PageInput } from '@/lib/core/pages'
import type { KeyState } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { type QueryLimits, queryCancellable } from './cancellable-query'
import { type KeyFilter, keyConditions, stateAt } from './key-conditions'
import { formatKeyId } from './key-id'

export type { KeyFilter } from './key-conditions'

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

/** The server ends a search itself then. */
const LIST_TIMEOUT_MS = 5_000

/** By system, so that the index on (system, seq) serves it: the last changed first. Only a key's latest life. */
const list = (conditions: string, state: string, before: string, limit: string): string => `
  SELECT x.* FROM (SELECT DISTINCT system FROM source) s
  CROSS JOIN LATERAL (
    SELECT o.seq::text, o.source_id, o.scope, o.key, ${state} AS state, o.data->>'attempts' AS attempts, o.http_status,
      o.reference, o.occurred_at, o.expires_at
    FROM mirror.object o
    WHERE o.system = s.system AND ${conditions} AND (${before}::bigint IS NULL OR o.seq < ${before}::bigint)
      AND NOT EXISTS (
        SELECT FROM mirror.object later
        WHERE later.key = o.key AND later.scope = o.scope AND later.source_id = o.source_id AND later.kind = 'key'
          AND later.gone_at IS NULL AND later.occurred_at > o.occurred_at
      )
    ORDER BY o.seq DESC LIMIT ${limit}
  ) x
  ORDER BY x.seq::bigint DESC LIMIT ${limit}`

const cursorShape = z.tuple([z.string().regex(/^\d{1,19}$/)])

/** Keys as they were last staged, the last changed first. A search that takes too long ends in the server: `timeout`. */
export async function listKeys(
  ctx: { db: Db; clock: { now(): Date } },
  filter: KeyFilter,
  page: PageInput,
  limits: Partial<QueryLimits> = {},
): Promise<Page<KeyView>> {
  const before = page.cursor === undefined ? null : decodeCursor(page.cursor, cursorShape)[0]
  const { sql, values, bind, now } = keyConditions(filter, ctx.clock.now())
  const text = list(sql, stateAt(now), bind(before), bind(page.limit + 1))
  const rows = await queryCancellable(ctx.db, text, values, {
    timeoutMs: limits.timeoutMs ?? LIST_TIMEOUT_MS,
    signal: limits.signal,
  })
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

import { z } from 'zod'
import { decodeCursor, encodeCursor, type Page, type PageInput } from '@/lib/core/pages'
import type { KeyState } from '@/lib/core/states'
import type { Db } from '@/lib/db'
import { type QueryLimits, queryCancellable } from './cancellable-query'
import { type KeyFilter, keyConditions, keysOf, stateAt } from './key-conditions'
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
  expires_text: z.string().nullable(),
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

/** Only a key's latest life. */
const select = (keys: { from: string; where: string }, state: string): string => `
  SELECT o.seq, o.source_id, o.scope, o.key, ${state} AS state, o.data->>'attempts' AS attempts, o.http_status,
    o.reference, o.occurred_at, o.expires_at, o.expires_at::text AS expires_text
  FROM ${keys.from}
  WHERE ${keys.where}
    AND NOT EXISTS (
      SELECT FROM mirror.object later
      WHERE later.key = o.key AND later.scope = o.scope AND later.source_id = o.source_id AND later.kind = 'key'
        AND later.gone_at IS NULL AND later.occurred_at > o.occurred_at
    )`

const seqShape = z.string().regex(/^\d{1,19}$/)
const changeCursor = z.tuple([seqShape])
const expiryCursor = z.tuple([seqShape, z.string().max(40)])

/** The last changed first, along the index on `seq`. */
function byChange(filter: KeyFilter, page: PageInput, now: Date): Statement {
  const { sql, values, bind, now: at } = keyConditions(filter, now)
  const [seq] = page.cursor === undefined ? [] : decodeCursor(page.cursor, changeCursor)
  const after = seq === undefined ? '' : ` AND o.seq < ${bind(seq)}::bigint`
  const keys = keysOf(filter, sql + after)
  return {
    text: `${keys.with} ${select(keys, stateAt(at))} ORDER BY o.seq DESC LIMIT ${bind(page.limit + 1)}`,
    values,
    cursorOf: (row) => [row.seq],
  }
}

/**
 * The last expired first: by their changes, those that have not expired would all be read before. An index of a state
 * each is in this order.
 */
function byExpiry({ state: _, ...filter }: KeyFilter, page: PageInput, now: Date): Statement {
  const { sql, values, bind, now: at } = keyConditions(filter, now)
  const [seq, expires] = page.cursor === undefined ? [] : decodeCursor(page.cursor, expiryCursor)
  const after =
    seq === undefined || expires === undefined
      ? ''
      : ` AND (o.expires_at, o.seq) < (${bind(expires)}::timestamptz, ${bind(seq)}::bigint)`
  const limit = bind(page.limit + 1)
  const keys = keysOf(filter, sql)
  const ended = (['completed', 'failed_final'] as const).map((status) => {
    const where = `${keys.where} AND o.status = '${status}' AND o.expires_at <= ${at}${after}`
    return `(${select({ ...keys, where }, stateAt(at))} ORDER BY o.expires_at DESC, o.seq DESC LIMIT ${limit})`
  })
  return {
    text: `${keys.with} SELECT * FROM (${ended.join(' UNION ALL ')}) o ORDER BY o.expires_at DESC, o.seq DESC LIMIT ${limit}`,
    values,
    cursorOf: (row) => [row.seq, row.expires_text ?? ''],
  }
}

type Row = z.infer<typeof rowSchema>
type Statement = { text: string; values: unknown[]; cursorOf(row: Row): string[] }

/** Keys as they were last staged, the last changed first. A search that takes too long ends in the server: `timeout`. */
export async function listKeys(
  ctx: { db: Db; clock: { now(): Date } },
  filter: KeyFilter,
  page: PageInput,
  limits: Partial<QueryLimits> = {},
): Promise<Page<KeyView>> {
  const { text, values, cursorOf } = (filter.state === 'expired' ? byExpiry : byChange)(
    filter,
    page,
    ctx.clock.now(),
  )
  const rows = await queryCancellable(ctx.db, text, values, {
    timeoutMs: limits.timeoutMs ?? LIST_TIMEOUT_MS,
    signal: limits.signal,
  })
  const parsed = rows.map((row) => rowSchema.parse(row))
  const items = parsed.slice(0, page.limit)
  const last = items.at(-1)
  return {
    items: items.map(toView),
    next: parsed.length > page.limit && last !== undefined ? encodeCursor(cursorOf(last)) : null,
  }
}

function toView(row: Row): KeyView {
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

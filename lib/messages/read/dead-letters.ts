import { z } from 'zod'
import { decodeCursor, encodeCursor, type Page, type PageInput } from '@/lib/core/pages'
import type { Db } from '@/lib/db'

export const deadFilterSchema = z.strictObject({
  source: z.string().optional(),
  topic: z.string().optional(),
  fingerprint: z.string().optional(),
  ids: z.array(z.string().startsWith('msg_')).min(1).max(1_000).optional(),
})
export type DeadFilter = z.infer<typeof deadFilterSchema>

export type DeadLetter = {
  id: string
  source: string
  place: string
  /** What a change compares. */
  version: string
  messageId: string | null
  topic: string
  key: string | null
  type: string | null
  group: string | null
  error: string | null
  fingerprint: string
  title: string
  attempts: number
  sizeBytes: number
  traceId: string | null
  publishedAt: string | null
  diedAt: string | null
}

const date = z.date().nullable()
const text = z.string().nullable()
const rowSchema = z.object({
  id: z.string(),
  source_id: z.string(),
  place: z.string(),
  version: z.string(),
  message_id: text,
  topic: z.string(),
  key: text,
  type: text,
  group_name: text,
  error: text,
  fingerprint: z.string(),
  title: z.string(),
  attempts: z.int(),
  size_bytes: z.int(),
  trace_id: text,
  published_at: date,
  died_at: date,
  died_text: z.string(),
})

/** $1–$4; a parameter that is null filters nothing. What a source that was switched off had is not listed. */
const MATCHES = `
  d.gone_at IS NULL AND d.source_id IN (SELECT s.id FROM source s WHERE s.enabled)
  AND ($1::text IS NULL OR d.source_id = $1) AND ($2::text IS NULL OR d.topic = $2)
  AND ($3::text IS NULL OR d.fingerprint = $3) AND ($4::text[] IS NULL OR d.id = ANY ($4))`

const values = ({ source, topic, fingerprint, ids }: DeadFilter) => [
  source ?? null,
  topic ?? null,
  fingerprint ?? null,
  ids ?? null,
]

const DIED = `coalesce(d.died_at, d.checked_at)`

const LIST = `
  SELECT d.*, (${DIED} AT TIME ZONE 'UTC')::text AS died_text FROM messages.dead_letter d
  WHERE ${MATCHES} AND ($5::text IS NULL OR (${DIED}, d.id) > ($5::timestamp AT TIME ZONE 'UTC', $6))
  ORDER BY ${DIED}, d.id LIMIT $7`

const cursorShape = z.tuple([z.string(), z.string()])

/** Dead letters as they were last read, the oldest first. */
export async function listDeadLetters(
  db: Db,
  filter: DeadFilter,
  { limit, cursor }: PageInput,
): Promise<Page<DeadLetter>> {
  const [at, id] = cursor === undefined ? [null, null] : decodeCursor(cursor, cursorShape)
  const { rows } = await db.pool.query(LIST, [...values(filter), at, id, limit + 1])
  const read = rows.map((row) => rowSchema.parse(row))
  const last = read.length > limit ? read[limit - 1] : undefined
  return {
    items: read.slice(0, limit).map(toLetter),
    next: last === undefined ? null : encodeCursor([last.died_text, last.id]),
  }
}

export type DeadGroup = {
  fingerprint: string
  topic: string
  title: string
  count: number
  sources: string[]
  firstAt: string | null
  lastAt: string | null
}

const GROUPS_MAX = 200

const GROUPS = `
  SELECT d.fingerprint, d.topic, min(d.title) AS title, count(*)::int AS count, array_agg(DISTINCT d.source_id) AS sources,
    min(d.died_at) AS first_at, max(d.died_at) AS last_at
  FROM messages.dead_letter d WHERE ${MATCHES}
  GROUP BY d.fingerprint, d.topic ORDER BY count(*) DESC, d.fingerprint LIMIT ${GROUPS_MAX}`

const groupRow = z.object({
  fingerprint: z.string(),
  topic: z.string(),
  title: z.string(),
  count: z.int(),
  sources: z.array(z.string()),
  first_at: date,
  last_at: date,
})

/** Dead letters by what they died of, the most first. */
export async function groupDeadLetters(db: Db, filter: DeadFilter): Promise<DeadGroup[]> {
  const { rows } = await db.pool.query(GROUPS, values(filter))
  return rows.map((raw) => {
    const { first_at, last_at, ...group } = groupRow.parse(raw)
    return { ...group, firstAt: first_at?.toISOString() ?? null, lastAt: last_at?.toISOString() ?? null }
  })
}

const toLetter = (row: z.infer<typeof rowSchema>): DeadLetter => ({
  id: row.id,
  source: row.source_id,
  place: row.place,
  version: row.version,
  messageId: row.message_id,
  topic: row.topic,
  key: row.key,
  type: row.type,
  group: row.group_name,
  error: row.error,
  fingerprint: row.fingerprint,
  title: row.title,
  attempts: row.attempts,
  sizeBytes: row.size_bytes,
  traceId: row.trace_id,
  publishedAt: row.published_at?.toISOString() ?? null,
  diedAt: row.died_at?.toISOString() ?? null,
})

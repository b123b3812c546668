import pg from 'pg'
import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { Db } from '@/lib/db'
import type { TelemetryWindow } from '../window'

/** Past this the reader gets a word instead of a wait; the server ends the query. */
export const LIST_TRACES_TIMEOUT_MS = 5_000
const CANCELLED = '57014'

/** A request with a key, as its own span told it. */
export type TraceRow = {
  traceId: string
  spanId: string
  time: string
  durationMs: number
  service: string
  version: string
  endpoint: string
  client: string
  outcome: string
  statusCode: number | null
  attempt: number | null
  keyHash: string
  failed: boolean
  effectTwice: boolean
}

/** The columns of a bar of requests by outcome; a request is in one of them. */
export const OUTCOME_BARS = ['executed', 'replayed', 'conflict', 'other', 'again'] as const
export type OutcomeBar = (typeof OUTCOME_BARS)[number]

export type TraceOrder = 'worst' | 'newest'
export type TraceFilter = TelemetryWindow & {
  outcome?: string | undefined
  /** Hex, whole. */
  traceId?: string | undefined
  /** Hex, whole. */
  keyHash?: string | undefined
  failedOnly?: boolean | undefined
  bar?: OutcomeBar | undefined
}

const rowSchema = z.object({
  traceId: z.string(),
  spanId: z.string(),
  time: z.date(),
  durationMs: z.number(),
  service: z.string(),
  version: z.string(),
  endpoint: z.string(),
  client: z.string(),
  outcome: z.string(),
  statusCode: z.number().nullable(),
  attempt: z.number().nullable(),
  keyHash: z.string(),
  failed: z.boolean(),
  effectTwice: z.boolean(),
  rank: z.string(),
})

/** Failed = it ended in an error, lost its lease, or made an effect a second time. */
const FAILED = `(coalesce(status_code, 0) >= 500 OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice)`

/** Failed before slow before fast: one number that a cursor can continue from. */
const RANK: Record<TraceOrder, string> = {
  worst: `(CASE WHEN ${FAILED} THEN 1 ELSE 0 END)::numeric * 1e12 + round(extract(epoch FROM end_time - time) * 1e6)`,
  newest: 'round(extract(epoch FROM time) * 1e6)',
}

/** As the roll-up counts (`executed_again`), so that the list behind a bar has as many. */
const AGAIN = `(outcome = 'takeover' OR expired_retry OR (effect_twice AND outcome IN ('executed', 'stale', 'bypassed')))`
const BAR = `CASE WHEN ${AGAIN} THEN 'again' WHEN outcome IN ('executed', 'replayed') THEN outcome
  WHEN outcome IN ('in_progress', 'mismatch', 'waited', 'stale') THEN 'conflict' ELSE 'other' END`

/** Parameters $1–$10 are those of \`filterValues\`. */
export const MATCHING_TRACES = `
    FROM telemetry.sighting
    WHERE time >= $1 AND time < $2 AND key_hash IS NOT NULL
      AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)
      AND ($6::text IS NULL OR outcome = $6)
      AND ($7::text IS NULL OR trace_id = decode($7, 'hex')) AND ($8::text IS NULL OR key_hash = decode($8, 'hex'))
      AND ($9::boolean IS NOT TRUE OR ${FAILED}) AND ($10::text IS NULL OR ${BAR} = $10)`

export const filterValues = (filter: TraceFilter): unknown[] => [
  filter.from,
  filter.to,
  filter.service ?? null,
  filter.endpoint ?? null,
  filter.client ?? null,
  filter.outcome ?? null,
  filter.traceId ?? null,
  filter.keyHash ?? null,
  filter.failedOnly ?? null,
  filter.bar ?? null,
]

const sqlOf = (order: TraceOrder) => `
  SELECT * FROM (
    SELECT encode(trace_id, 'hex') AS "traceId", encode(span_id, 'hex') AS "spanId", time,
      (extract(epoch FROM end_time - time) * 1000)::float8 AS "durationMs", service, version, endpoint, client, outcome,
      status_code AS "statusCode", attempt, encode(key_hash, 'hex') AS "keyHash", ${FAILED} AS failed,
      effect_twice AS "effectTwice", (${RANK[order]})::text AS rank
    ${MATCHING_TRACES}
  ) AS request
  WHERE $11::numeric IS NULL OR (rank::numeric, "spanId") < ($11::numeric, $12::text)
  ORDER BY rank::numeric DESC, "spanId" DESC
  LIMIT $13`

const cursorShape = z.tuple([z.string().regex(/^-?\d+(\.\d+)?$/), z.string()])

/** Traces of requests that carried a key, in a window. Throws `timeout` when the window holds too many. */
export async function listTraces(
  db: Db,
  filter: TraceFilter,
  order: TraceOrder,
  page: PageInput,
): Promise<Page<TraceRow>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const values = [...filterValues(filter), after?.[0] ?? null, after?.[1] ?? null, page.limit + 1]
  const rows = z.array(rowSchema).parse(await readWithin(db, sqlOf(order), values))
  const paged = toPage(rows, page.limit, (row) => [row.rank, row.spanId])
  return {
    items: paged.items.map(({ rank: _, time, ...row }) => ({ ...row, time: time.toISOString() })),
    next: paged.next,
  }
}

/** One read that the server ends in time. Throws `timeout`. */
export async function readWithin(db: Db, sql: string, values: unknown[]): Promise<unknown[]> {
  const client = await db.pool.connect()
  let broken: Error | undefined
  try {
    await client.query('BEGIN READ ONLY')
    await client.query(`SELECT set_config('statement_timeout', $1, true)`, [String(LIST_TRACES_TIMEOUT_MS)])
    return (await client.query(sql, values)).rows
  } catch (cause) {
    if (!(cause instanceof pg.DatabaseError && cause.code === CANCELLED)) throw cause
    throw new AppError(
      'timeout',
      `Stopped after ${LIST_TRACES_TIMEOUT_MS / 1000} s: narrow the range, or one endpoint or outcome.`,
      { cause },
    )
  } finally {
    await client.query('ROLLBACK').catch((error: Error) => {
      broken = error
    })
    client.release(broken)
  }
}

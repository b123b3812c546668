import { z } from 'zod'
import { AppError } from '@/lib/core/errors'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import { SQLSTATE, sqlStateOf } from '@/lib/core/sql-state'
import { type Db, inReadOnly } from '@/lib/db'
import type { TelemetryWindow } from '@/lib/telemetry/window'

/** Past this the reader gets a word instead of a wait; the server ends the query. */
export const LIST_TRACES_TIMEOUT_MS = 5_000

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
export const OUTCOME_BARS = ['executed', 'replayed', 'conflict', 'held', 'other', 'again'] as const
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
  durationUs: z.string(),
  timeUs: z.string(),
})

/** Failed = it ended in an error other than a hold's, lost its lease, or made an effect a second time. As the index keyed_request_worst has it. */
const FAILED = `((coalesce(status_code, 0) >= 500 AND outcome <> 'held') OR outcome IN ('stale', 'store_error', 'bypassed') OR effect_twice)`

/**
 * `worst` = failed before slow before fast, from the index keyed_request_worst; `newest` from the identity, which is by
 * time. Both merge the partitions of the window in order and stop at the page's end, so a page costs the same however
 * many keyed requests there are. $11, $12, $13 = the last one of the page before.
 */
const ORDER: Record<TraceOrder, { by: string; after: string }> = {
  worst: {
    by: `${FAILED} DESC, (end_time - time) DESC, span_id DESC`,
    after: `(${FAILED}, end_time - time, span_id) < ($11::integer <> 0, $12::bigint * interval '1 microsecond', decode($13, 'hex'))`,
  },
  newest: {
    by: 'time DESC, span_id DESC',
    after: `$11::integer IS NOT NULL
      AND (time, span_id) < (timestamptz 'epoch' + $12::bigint * interval '1 microsecond', decode($13, 'hex'))`,
  },
}

/** As the roll-up counts (`executed_again`), so that the list behind a bar has as many. */
const AGAIN = `(outcome = 'takeover' OR expired_retry OR (effect_twice AND outcome IN ('executed', 'stale', 'bypassed')))`
/** Written out, so that the planner sees which of them the index of notable keyed requests (keyed_request_notable) serves. */
const BARS: Record<OutcomeBar, string> = {
  again: AGAIN,
  executed: `(outcome = 'executed' AND NOT ${AGAIN})`,
  replayed: `(outcome = 'replayed' AND NOT ${AGAIN})`,
  conflict: `(outcome IN ('in_progress', 'mismatch', 'waited', 'stale') AND NOT ${AGAIN})`,
  held: `(outcome = 'held' AND NOT ${AGAIN})`,
  other: `(outcome IN ('bypassed', 'store_error', 'observed') AND NOT ${AGAIN})`,
}

/**
 * $1–$10 = `filterValues`, of which $10 only says that the text is of a bar. A trace is found as long as its spans are
 * kept: they have the index by trace.
 */
export const matchingTraces = (filter: TraceFilter): string => `
    FROM telemetry.keyed_request
    WHERE time >= $1 AND time < $2 AND key_hash IS NOT NULL
      AND ($3::text IS NULL OR service = $3) AND ($4::text IS NULL OR endpoint = $4) AND ($5::text IS NULL OR client = $5)
      AND ($6::text IS NULL OR outcome = $6)
      AND ($7::text IS NULL OR (trace_id = decode($7, 'hex') AND time = ANY (ARRAY(
        SELECT start_time FROM telemetry.span WHERE trace_id = decode($7, 'hex')))))
      AND ($8::text IS NULL OR key_hash = decode($8, 'hex'))
      AND ($9::boolean IS NOT TRUE OR ${FAILED})
      AND ($10::text IS NULL OR ${filter.bar === undefined ? 'true' : BARS[filter.bar]})`

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

const sqlOf = (filter: TraceFilter, order: TraceOrder, continued: boolean) => `
  SELECT encode(trace_id, 'hex') AS "traceId", encode(span_id, 'hex') AS "spanId", time,
    (extract(epoch FROM end_time - time) * 1000)::float8 AS "durationMs", service, version, endpoint, client, outcome,
    status_code AS "statusCode", attempt, encode(key_hash, 'hex') AS "keyHash", ${FAILED} AS failed,
    effect_twice AS "effectTwice", round(extract(epoch FROM end_time - time) * 1e6)::bigint::text AS "durationUs",
    round(extract(epoch FROM time) * 1e6)::bigint::text AS "timeUs"
  ${matchingTraces(filter)}
    AND ($11::integer IS NULL AND $12::bigint IS NULL AND $13::text IS NULL OR ${continued ? ORDER[order].after : 'false'})
  ORDER BY ${ORDER[order].by}
  LIMIT $14`

const cursorShape = z.tuple([
  z.union([z.literal(0), z.literal(1)]),
  z.string().regex(/^\d{1,18}$/),
  z.string().regex(/^[0-9a-f]{16}$/),
])

/** Traces of requests that carried a key, in a window. Throws `timeout` when the window holds too many. */
export async function listTraces(
  db: Db,
  filter: TraceFilter,
  order: TraceOrder,
  page: PageInput,
): Promise<Page<TraceRow>> {
  const after = page.cursor === undefined ? [null, null, null] : decodeCursor(page.cursor, cursorShape)
  const values = [...filterValues(filter), ...after, page.limit + 1]
  const sql = sqlOf(filter, order, page.cursor !== undefined)
  const rows = z.array(rowSchema).parse(await readWithin(db, sql, values))
  const paged = toPage(rows, page.limit, (row) => [
    row.failed ? 1 : 0,
    order === 'worst' ? row.durationUs : row.timeUs,
    row.spanId,
  ])
  return {
    items: paged.items.map(({ durationUs: _, timeUs: _us, time, ...row }) => ({
      ...row,
      time: time.toISOString(),
    })),
    next: paged.next,
  }
}

/** One read that the server ends in time. Throws `timeout`. */
export async function readWithin(db: Db, sql: string, values: unknown[]): Promise<unknown[]> {
  try {
    const { rows } = await inReadOnly(db.pool, LIST_TRACES_TIMEOUT_MS, (client) => client.query(sql, values))
    return rows
  } catch (cause) {
    if (sqlStateOf(cause) !== SQLSTATE.queryCanceled) throw cause
    throw new AppError(
      'timeout',
      `Stopped after ${LIST_TRACES_TIMEOUT_MS / 1000} s: narrow the range, or one endpoint or outcome.`,
      { cause },
    )
  }
}

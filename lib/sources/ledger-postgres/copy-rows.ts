import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { z } from 'zod'
import type { OpenSink, TimeRange } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { LedgerConfig } from './config'
import type { Mapping } from './mapping'
import { behind, type Cursor, cursorAfter, inOrder, insertedLate, type Ledger, startOf } from './position'

const boundsRow = z.object({ from: z.date().nullable(), to: z.date(), rows: z.coerce.number() })

/** From the first booking to now, on the ledger's clock, and about how many rows that is; null = it is empty. */
export async function readBounds(
  pool: SourcePool,
  mapping: Mapping,
): Promise<(TimeRange & { rows: number }) | null> {
  const [row] = await pool.query(
    `SELECT date_trunc('milliseconds', min(${mapping.bookedAt}::timestamptz)) AS "from",
       date_trunc('milliseconds', clock_timestamp()) AS "to", count(*) AS rows
     FROM ${mapping.from} WHERE NOT ${mapping.undated}`,
  )
  const { from, to, rows } = boundsRow.parse(row)
  return from === null || from >= to ? null : { from, to, rows }
}

/** The rows of a range as COPY text, in the columns that the mirror's bulk load takes. */
export function copyRows(
  url: string,
  config: LedgerConfig,
  mapping: Mapping,
  range: TimeRange,
  openSink: OpenSink,
): Promise<void> {
  const [from, to] = [range.from, range.to].map((at) => timeLiteral(at.toISOString()))
  const inside = `${mapping.bookedAt} >= ${from} AND ${mapping.bookedAt} < ${to}`
  return streamCopy(url, copyStatement(config, mapping, inside), openSink)
}

const endRow = z.object({ booked_text: z.string(), entry_id: z.string() })

/**
 * What `readRows` would answer, as COPY text. Where the page ends is looked for first: a row that is committed before
 * that place meanwhile comes along, one behind it is the next page's.
 */
export async function copyPage(
  source: Ledger & { url: string },
  cursorText: string | null,
  limit: number,
  openSink: OpenSink,
): Promise<{ cursor: string; more: boolean }> {
  const { pool, url, config, mapping } = source
  const { cursor: from } = await startOf(source, cursorText)
  if (from.late !== null) return copyLate(source, from, from.late, limit, openSink)
  const [end] = await pool.query(
    `SELECT ${mapping.bookedAt}::timestamptz::text AS booked_text, ${mapping.entryId}::text AS entry_id FROM ${mapping.from}
     WHERE ${behind(mapping, '$1::timestamptz', '$2')} ORDER BY ${inOrder(mapping)} OFFSET $3 LIMIT 1`,
    [from.bookedAt, from.entryId, limit - 1],
  )
  const last = end === undefined ? null : endRow.parse(end)
  const place = { bookedAt: timeLiteral(from.bookedAt), entryId: pg.escapeLiteral(from.entryId) }
  const rows = [behind(mapping, place.bookedAt, place.entryId)]
  if (last !== null) {
    rows.push(`${mapping.bookedAt} <= ${timeLiteral(last.booked_text)}
      AND (${inOrder(mapping)}) <= (${timeLiteral(last.booked_text)}, ${pg.escapeLiteral(last.entry_id)})`)
  }
  await streamCopy(url, copyStatement(config, mapping, rows.join(' AND ')), openSink)
  const position = last === null ? null : { bookedAt: last.booked_text, entryId: last.entry_id }
  return { cursor: cursorAfter(from, position), more: position !== null }
}

/** A page of what was inserted since the last pass and booked before this one begins. */
async function copyLate(
  { pool, url, config, mapping }: Ledger & { url: string },
  from: Cursor,
  late: NonNullable<Cursor['late']>,
  limit: number,
  openSink: OpenSink,
): Promise<{ cursor: string; more: boolean }> {
  const [end] = await pool.query(
    `SELECT ${mapping.entryId}::text AS entry_id FROM ${mapping.from}
     WHERE ${insertedLate(mapping, '$1', '$2::timestamptz')} ORDER BY ${mapping.entryId} OFFSET $3 LIMIT 1`,
    [late.afterId, late.before, limit - 1],
  )
  const last = end === undefined ? null : z.object({ entry_id: z.string() }).parse(end).entry_id
  const rows = [insertedLate(mapping, pg.escapeLiteral(late.afterId), timeLiteral(late.before))]
  if (last !== null) rows.push(`${mapping.entryId} <= ${pg.escapeLiteral(last)}::${mapping.entryIdType}`)
  await streamCopy(url, copyStatement(config, mapping, rows.join(' AND ')), openSink)
  const next = last === null ? null : { ...late, afterId: last }
  return { cursor: JSON.stringify({ ...from, late: next }), more: true }
}

/** Streamed: nothing of it is held here. A session of its own, read only, with the statement timeout of a bulk read. */
async function streamCopy(url: string, statement: string, openSink: OpenSink): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'idemscope-ledger-copy',
    connectionTimeoutMillis: 5_000,
    options: `-c timezone=UTC -c datestyle=ISO -c default_transaction_read_only=on -c statement_timeout=${COPY_TIMEOUT_MS}`,
  })
  // The copy under way rejects; without a listener a broken connection would end the process.
  client.on('error', () => undefined)
  await client.connect()
  try {
    const sink = await openSink()
    await pipeline(client.query(copyTo(statement)), sink)
  } finally {
    await client.end()
  }
}

/** A range or a page is some 50,000 rows; a server that needs longer for them is in trouble. */
const COPY_TIMEOUT_MS = 120_000

const timeLiteral = (time: string) => `${pg.escapeLiteral(time)}::timestamptz`

/** COPY takes no parameters: identifiers come from the catalogue, values are quoted as literals. */
function copyStatement(config: LedgerConfig, mapping: Mapping, inside: string): string {
  const list = (values: readonly string[]) =>
    `ARRAY[${values.map((value) => pg.escapeLiteral(value)).join(', ')}]::text[]`
  return `COPY (
    SELECT r.entry_id,
      CASE WHEN r.unreadable IS NOT NULL THEN 'other' WHEN r.kind = ANY (${list(config.kinds.charge)}) THEN 'charge'
           WHEN r.kind = ANY (${list(config.kinds.refund)}) THEN 'refund'
           WHEN r.kind = ANY (${list(config.kinds.fee)}) THEN 'fee'
           WHEN r.kind = ANY (${list(config.kinds.dispute)}) THEN 'dispute' ELSE 'other' END,
      r.kind, r.provider_ref, r.charge_ref, r.reference, r.amount_minor, r.currency, r.booked_at,
      r.reversed_at, r.correction_id, r.unreadable
    FROM (SELECT ${mapping.select} FROM ${mapping.from} WHERE ${inside}) r
  ) TO STDOUT`
}

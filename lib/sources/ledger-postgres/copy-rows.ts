import type { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { z } from 'zod'
import type { TimeRange } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { LedgerConfig } from './config'
import type { Mapping } from './mapping'

const boundsRow = z.object({ from: z.date().nullable(), to: z.date(), rows: z.coerce.number() })

/** From the first booking to now, on the ledger's clock, and about how many rows that is; null = it is empty. */
export async function readBounds(
  pool: SourcePool,
  mapping: Mapping,
): Promise<(TimeRange & { rows: number }) | null> {
  const [row] = await pool.query(
    `SELECT date_trunc('milliseconds', min(${mapping.bookedAt}::timestamptz)) AS "from",
       date_trunc('milliseconds', clock_timestamp()) AS "to", count(*) AS rows FROM ${mapping.from}`,
  )
  const { from, to, rows } = boundsRow.parse(row)
  return from === null || from >= to ? null : { from, to, rows }
}

/**
 * The rows of a range as COPY text, in the columns of `LEDGER_COPY_COLUMNS`, streamed: nothing of it is held here. A
 * session of its own, read only, with the statement timeout of a bulk read.
 */
export async function copyRows(
  url: string,
  config: LedgerConfig,
  mapping: Mapping,
  range: TimeRange,
  sink: Writable,
): Promise<void> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'idemscope-ledger-copy',
    connectionTimeoutMillis: 5_000,
    options: `-c timezone=UTC -c datestyle=ISO -c default_transaction_read_only=on -c statement_timeout=${COPY_TIMEOUT_MS}`,
  })
  client.on('error', () => undefined)
  await client.connect()
  try {
    await pipeline(client.query(copyTo(copyStatement(config, mapping, range))), sink)
  } finally {
    await client.end()
  }
}

/** A range is some 50,000 rows; a server that needs longer for them is in trouble. */
const COPY_TIMEOUT_MS = 120_000

/** COPY takes no parameters: identifiers come from the catalogue, values are quoted as literals. */
function copyStatement(config: LedgerConfig, mapping: Mapping, range: TimeRange): string {
  const list = (values: readonly string[]) =>
    `ARRAY[${values.map((value) => pg.escapeLiteral(value)).join(', ')}]::text[]`
  const at = (time: Date) => `${pg.escapeLiteral(time.toISOString())}::timestamptz`
  return `COPY (
    SELECT r.entry_id,
      CASE WHEN r.kind = ANY (${list(config.kinds.charge)}) THEN 'charge'
           WHEN r.kind = ANY (${list(config.kinds.refund)}) THEN 'refund'
           WHEN r.kind = ANY (${list(config.kinds.fee)}) THEN 'fee'
           WHEN r.kind = ANY (${list(config.kinds.dispute)}) THEN 'dispute' ELSE 'other' END,
      r.kind, r.provider_ref, r.charge_ref, r.reference, r.amount_minor, upper(trim(r.currency)), r.booked_at,
      r.reversed_at, r.correction_id
    FROM (SELECT ${mapping.select} FROM ${mapping.from}
          WHERE ${mapping.bookedAt} >= ${at(range.from)} AND ${mapping.bookedAt} < ${at(range.to)}) r
  ) TO STDOUT`
}

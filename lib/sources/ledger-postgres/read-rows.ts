import { z } from 'zod'
import type { LedgerRow } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { LedgerConfig } from './config'
import type { Mapping } from './mapping'
import { behind, cursorAfter, inOrder, type Ledger, startOf } from './position'

const rowSchema = z.object({
  entry_id: z.string(),
  kind: z.string(),
  provider_ref: z.string().nullable(),
  charge_ref: z.string().nullable(),
  reference: z.string().nullable(),
  amount_minor: z.string(),
  currency: z.string(),
  booked_at: z.date(),
  booked_text: z.string(),
  reversed_at: z.date().nullable(),
  correction_id: z.string().nullable(),
  unreadable: z.string().nullable(),
})

export async function readRows(
  ledger: Ledger,
  cursorText: string | null,
  limit: number,
): Promise<{ items: LedgerRow[]; cursor: string; more: boolean }> {
  const { pool, config, mapping } = ledger
  const from = await startOf(ledger, cursorText)
  const rows = await pool.query(
    `SELECT ${mapping.select} FROM ${mapping.from}
     WHERE ${behind(mapping, '$1::timestamptz', '$2')} ORDER BY ${inOrder(mapping)} LIMIT $3`,
    [from.bookedAt, from.entryId, limit],
  )
  const parsed = rows.map((row) => rowSchema.parse(row))
  const items = parsed.map((row) => toLedgerRow(config, row))
  const last = parsed.at(-1)
  const more = parsed.length === limit && last !== undefined
  const end = more ? { bookedAt: last.booked_text, entryId: last.entry_id } : null
  return { items, cursor: cursorAfter(from, end), more }
}

/** Of one id more postings than this are cut off. */
const ROWS_OF_REFS_MAX = 10_000

/** All postings of these ids: where they are too many together, they are read in parts. */
export async function readByProviderRefs(
  pool: SourcePool,
  config: LedgerConfig,
  mapping: Mapping,
  refs: readonly string[],
): Promise<LedgerRow[]> {
  const rows = await pool.query(
    `SELECT ${mapping.select} FROM ${mapping.from}
     WHERE ${mapping.providerRef}::text = ANY ($1) ORDER BY ${mapping.bookedAt} LIMIT ${ROWS_OF_REFS_MAX}`,
    [[...refs]],
  )
  if (rows.length === ROWS_OF_REFS_MAX && refs.length > 1) {
    const half = Math.floor(refs.length / 2)
    const first = await readByProviderRefs(pool, config, mapping, refs.slice(0, half))
    return [...first, ...(await readByProviderRefs(pool, config, mapping, refs.slice(half)))]
  }
  return rows.map((row) => toLedgerRow(config, rowSchema.parse(row)))
}

export async function readCorrection(
  pool: SourcePool,
  config: LedgerConfig,
  mapping: Mapping,
  actionId: string,
): Promise<LedgerRow | null> {
  if (mapping.correctionId === null) return null
  const [row] = await pool.query(
    `SELECT ${mapping.select} FROM ${mapping.from} WHERE ${mapping.correctionId}::text = $1 LIMIT 1`,
    [actionId],
  )
  return row === undefined ? null : toLedgerRow(config, rowSchema.parse(row))
}

function toLedgerRow(config: LedgerConfig, row: z.infer<typeof rowSchema>): LedgerRow {
  const kinds = ['charge', 'refund', 'fee', 'dispute'] as const
  const kind = kinds.find((each) => config.kinds[each].includes(row.kind)) ?? 'other'
  return {
    entryId: row.entry_id,
    kind: row.unreadable === null ? kind : 'other',
    ...(row.unreadable === null ? {} : { unreadable: row.unreadable }),
    rawKind: row.kind,
    providerRef: row.provider_ref,
    chargeRef: row.charge_ref,
    reference: row.reference,
    amountMinor: BigInt(row.amount_minor),
    currency: row.currency.trim().toUpperCase(),
    bookedAt: row.booked_at,
    reversedAt: row.reversed_at,
    correctionId: row.correction_id,
  }
}

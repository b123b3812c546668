import { z } from 'zod'
import { BOOKED_AS, type LedgerPage, type LedgerRow, type LedgerSource } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { LedgerConfig } from './config'
import { isUnnamed, type Mapping } from './mapping'
import { behind, type Cursor, cursorAfter, inOrder, insertedLate, type Ledger, startOf } from './position'

const rowSchema = z.object({
  entry_id: z.string(),
  kind: z.string(),
  provider_ref: z.string().nullable(),
  charge_ref: z.string().nullable(),
  reference: z.string().nullable(),
  amount_minor: z.string().nullable(),
  currency: z.string().nullable(),
  booked_at: z.date(),
  booked_text: z.string().nullable(),
  reversed_at: z.date().nullable(),
  correction_id: z.string().nullable(),
  unreadable: z.string().nullable(),
})

export async function readRows(
  ledger: Ledger,
  cursorText: string | null,
  limit: number,
): Promise<LedgerPage> {
  const { pool, config, mapping } = ledger
  const begun = await startOf(ledger, cursorText)
  const beside = begun.fresh
    ? await readUndated(ledger, begun.cursor)
    : { items: [], unread: null, undated: [] }
  const from = begun.fresh ? { ...begun.cursor, undated: beside.undated } : begun.cursor
  const late = await readLate(ledger, from, limit)
  const unread = beside.unread === null ? {} : { unread: beside.unread }
  if (late.next !== null) {
    const items = [...beside.items, ...late.items]
    return { items, cursor: JSON.stringify({ ...from, late: late.next }), more: true, ...unread }
  }
  const left = limit - late.items.length
  const rows = await pool.query(
    `SELECT ${mapping.select} FROM ${mapping.from}
     WHERE ${behind(mapping, '$1::timestamptz', '$2')} ORDER BY ${inOrder(mapping)} LIMIT $3`,
    [from.bookedAt, from.entryId, left],
  )
  const parsed = rows.map((row) => rowSchema.parse(row))
  const last = parsed.at(-1)
  const more = parsed.length === left && last !== undefined && last.booked_text !== null
  const end = more ? { bookedAt: last.booked_text ?? '', entryId: last.entry_id } : null
  return {
    items: [...beside.items, ...late.items, ...parsed.map((row) => toLedgerRow(config, row))],
    cursor: cursorAfter({ ...from, late: null }, end),
    more,
    ...unread,
  }
}

/** Inserted since the last pass, and booked before this one begins: found by the id. `next`: where the rest begins. */
async function readLate(
  { pool, config, mapping }: Ledger,
  { late }: Cursor,
  limit: number,
): Promise<{ items: LedgerRow[]; next: Cursor['late'] }> {
  if (late === null) return { items: [], next: null }
  const rows = await pool.query(
    `SELECT ${mapping.select} FROM ${mapping.from}
     WHERE ${insertedLate(mapping, '$1', '$2::timestamptz')} ORDER BY ${mapping.entryId} LIMIT $3`,
    [late.afterId, late.before, limit],
  )
  const parsed = rows.map((row) => rowSchema.parse(row))
  const last = parsed.at(-1)
  return {
    items: parsed.map((row) => toLedgerRow(config, row)),
    next: parsed.length === limit && last !== undefined ? { ...late, afterId: last.entry_id } : null,
  }
}

/** So many rows without a booking time are named in a pass. With more of them the rest is not read, and that is said. */
const UNDATED_MAX = 1_000

/** Rows that no walk comes by, and those that were named as such before and are dated now. */
async function readUndated(
  { pool, config, mapping }: Ledger,
  { undated: before }: Cursor,
): Promise<{ items: LedgerRow[]; undated: string[]; unread: string | null }> {
  const rows = await pool.query(
    `SELECT ${mapping.select} FROM ${mapping.from} WHERE ${mapping.undated} LIMIT ${UNDATED_MAX + 1}`,
  )
  const items = rows.slice(0, UNDATED_MAX).map((row) => toLedgerRow(config, rowSchema.parse(row)))
  const still = new Set(items.map(({ entryId }) => entryId))
  const dated = await readByEntryIds(
    pool,
    config,
    mapping,
    before.filter((id) => !still.has(id)),
  )
  return {
    items: [...items, ...dated],
    undated: [...still],
    unread:
      rows.length > UNDATED_MAX
        ? `more than ${UNDATED_MAX} rows without a booking time: the rest of them is not read`
        : null,
  }
}

export async function readByEntryIds(
  pool: SourcePool,
  config: LedgerConfig,
  mapping: Mapping,
  ids: readonly string[],
): Promise<LedgerRow[]> {
  const named = ids.filter((id) => !isUnnamed(id))
  if (named.length === 0) return []
  const rows = await pool.query(
    `SELECT ${mapping.select} FROM ${mapping.from}
     WHERE ${mapping.entryId} = ANY ($1::text[]::${mapping.entryIdType}[])`,
    [named],
  )
  return rows.map((row) => toLedgerRow(config, rowSchema.parse(row)))
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
  { actionId, kind, providerRef }: Parameters<LedgerSource['readCorrection']>[0],
): Promise<LedgerRow | null> {
  if (mapping.correctionId === null) {
    const booked = await readByProviderRefs(pool, config, mapping, [providerRef])
    return booked.find((row) => row.kind === BOOKED_AS[kind] && row.reversedAt === null) ?? null
  }
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
    amountMinor: row.amount_minor === null ? null : BigInt(row.amount_minor),
    currency: row.currency,
    bookedAt: row.booked_at,
    reversedAt: row.reversed_at,
    correctionId: row.correction_id,
  }
}

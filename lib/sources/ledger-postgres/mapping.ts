import { z } from 'zod'
import { SourceUnavailableError } from '../contracts'
import type { SourcePool } from '../postgres-pool'
import type { LedgerConfig } from './config'

/** SQL fragments of a mapping whose every identifier was found in the catalogue, quoted by the server itself. */
export type Mapping = {
  select: string
  from: string
  providerRef: string
  bookedAt: string
  /** Rows that a walk along the booking time never comes by. */
  undated: string
  entryId: string
  entryIdType: string
  /** Entry ids are numbers that an index leads: what was inserted since then has a higher one, whenever it was booked. */
  idsGrow: boolean
  correctionId: string | null
  correction: string | null
}

const catalogueRow = z.object({
  from: z.string(),
  columns: z.record(z.string(), z.string()),
  types: z.record(z.string(), z.string()),
  leading: z.array(z.string()),
})

const CATALOGUE = `
  SELECT format('%I.%I', n.nspname, c.relname) AS "from", a.columns, a.types,
    coalesce((SELECT jsonb_agg(DISTINCT a.attname) FROM pg_index i
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
      WHERE i.indrelid = c.oid AND i.indisvalid AND i.indpred IS NULL), '[]') AS leading
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  CROSS JOIN LATERAL (
    SELECT coalesce(jsonb_object_agg(a.attname, format('%I', a.attname)), '{}') AS columns,
      coalesce(jsonb_object_agg(a.attname, format_type(a.atttypid, NULL)), '{}') AS types
    FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($3)) a
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`

const CORRECTION = `
  SELECT format('%I.%I', n.nspname, p.proname) AS name
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = $1 AND p.proname = $2 AND p.pronargs = 1 AND p.proargtypes[0] = 'jsonb'::regtype AND p.prokind = 'f'`

/** What is booked outside of these is no day that a computer can be trusted with. */
const FIRST_DAY = `'0001-01-01'`
const LAST_DAY = `'9999-12-31'`
const UNNAMED = `'unnamed '`

/** An id that stands for a row without one. */
export const isUnnamed = (entryId: string): boolean => entryId.startsWith('unnamed ')

export async function resolveMapping(pool: SourcePool, config: LedgerConfig): Promise<Mapping> {
  const wanted = Object.values(config.columns).filter((name) => name !== undefined)
  const [raw] = await pool.query(CATALOGUE, [config.relation.schema, config.relation.name, wanted])
  const label = `${config.relation.schema}.${config.relation.name}`
  if (raw === undefined) throw new SourceUnavailableError(`there is no table or view ${label}`)
  const { from, columns, types, leading } = catalogueRow.parse(raw)
  const missing = wanted.filter((name) => columns[name] === undefined)
  if (missing.length > 0) throw new SourceUnavailableError(`${label} has no column ${missing.join(', ')}`)
  const column = (name: string | undefined): string => (name === undefined ? 'NULL' : `t.${columns[name]}`)
  const c = config.columns
  const booked = `${column(c.bookedAt)}::timestamptz`
  const isDated = `${booked} BETWEEN ${FIRST_DAY}::timestamptz AND ${LAST_DAY}::timestamptz`
  const entryIdType = types[c.entryId] ?? 'text'
  const [entryId, kind, amount] = [c.entryId, c.kind, c.amountMinor].map(
    (name) => `${column(name)}::text`,
  ) as [string, string, string]
  const currency = `nullif(upper(trim(${column(c.currency)}::text)), '')`
  const isAmount = `${amount} ~ '^-?[0-9]{1,18}$'`
  return {
    select: [
      `coalesce(${entryId}, ${UNNAMED} || coalesce(${booked}::text, 'and undated')) AS entry_id`,
      `coalesce(${kind}, '') AS kind`,
      // What stands in for it keeps the rest of the rows from stopping with it.
      `CASE WHEN ${entryId} IS NULL THEN 'it has no entry id' WHEN ${kind} IS NULL THEN 'its kind is missing'
        WHEN ${amount} IS NULL THEN 'its amount is missing' WHEN NOT ${isAmount}
          THEN 'its amount is no whole number of minor units: ' || left(${amount}, 40)
        WHEN ${currency} IS NULL THEN 'its currency is missing'
        WHEN ${booked} IS NULL THEN 'its booking time is missing'
        WHEN NOT ${isDated} THEN 'its booking time is no day of the calendar: ' || ${booked}::text END AS unreadable`,
      `${column(c.providerRef)}::text AS provider_ref`,
      `${column(c.chargeRef)}::text AS charge_ref`,
      `${column(c.reference)}::text AS reference`,
      `CASE WHEN ${isAmount} THEN ${amount} END AS amount_minor`,
      `${currency} AS currency`,
      `CASE WHEN ${isDated} THEN ${booked} ELSE 'epoch' END AS booked_at`,
      `${booked}::text AS booked_text`,
      `CASE WHEN isfinite(${column(c.reversedAt)}::timestamptz) THEN ${column(c.reversedAt)}::timestamptz END AS reversed_at`,
      `${column(c.correctionId)}::text AS correction_id`,
    ].join(', '),
    from: `${from} t`,
    providerRef: column(c.providerRef),
    bookedAt: column(c.bookedAt),
    undated: `(${column(c.bookedAt)} IS NULL OR ${column(c.bookedAt)} < ${FIRST_DAY})`,
    entryId: column(c.entryId),
    entryIdType,
    idsGrow: /^(smallint|integer|bigint)$/.test(entryIdType) && leading.includes(c.entryId),
    correctionId: c.correctionId === undefined ? null : column(c.correctionId),
    correction: await resolveCorrection(pool, config),
  }
}

async function resolveCorrection(pool: SourcePool, config: LedgerConfig): Promise<string | null> {
  if (config.correction === undefined) return null
  const [row] = await pool.query(CORRECTION, [config.correction.schema, config.correction.name])
  if (row === undefined) {
    const label = `${config.correction.schema}.${config.correction.name}(jsonb)`
    throw new SourceUnavailableError(`there is no function ${label}`)
  }
  return z.object({ name: z.string() }).parse(row).name
}

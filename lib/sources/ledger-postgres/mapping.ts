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
  entryId: string
  correctionId: string | null
  correction: string | null
}

const catalogueRow = z.object({ from: z.string(), columns: z.record(z.string(), z.string()) })

const CATALOGUE = `
  SELECT format('%I.%I', n.nspname, c.relname) AS "from",
    (SELECT jsonb_object_agg(a.attname, format('%I', a.attname))
     FROM pg_attribute a
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attname = ANY ($3)) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'p', 'v', 'm', 'f')`

const CORRECTION = `
  SELECT format('%I.%I', n.nspname, p.proname) AS name
  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
  WHERE n.nspname = $1 AND p.proname = $2 AND p.pronargs = 1 AND p.proargtypes[0] = 'jsonb'::regtype AND p.prokind = 'f'`

export async function resolveMapping(pool: SourcePool, config: LedgerConfig): Promise<Mapping> {
  const wanted = Object.values(config.columns).filter((name) => name !== undefined)
  const [raw] = await pool.query(CATALOGUE, [config.relation.schema, config.relation.name, wanted])
  const label = `${config.relation.schema}.${config.relation.name}`
  if (raw === undefined) throw new SourceUnavailableError(`there is no table or view ${label}`)
  const { from, columns } = catalogueRow.parse({ ...raw, columns: raw.columns ?? {} })
  const missing = wanted.filter((name) => columns[name] === undefined)
  if (missing.length > 0) throw new SourceUnavailableError(`${label} has no column ${missing.join(', ')}`)
  const column = (name: string | undefined): string => (name === undefined ? 'NULL' : `t.${columns[name]}`)
  const c = config.columns
  const booked = `${column(c.bookedAt)}::timestamptz`
  const [entryId, kind, amount, currency] = [c.entryId, c.kind, c.amountMinor, c.currency].map(
    (name) => `${column(name)}::text`,
  ) as [string, string, string, string]
  const isAmount = `${amount} ~ '^-?[0-9]{1,18}$'`
  return {
    select: [
      `coalesce(${entryId}, 'unnamed ' || ${booked}::text) AS entry_id`,
      `coalesce(${kind}, '') AS kind`,
      // What stands in for it keeps the rest of the rows from stopping with it.
      `CASE WHEN ${entryId} IS NULL THEN 'it has no entry id' WHEN ${kind} IS NULL THEN 'its kind is missing'
        WHEN ${amount} IS NULL THEN 'its amount is missing' WHEN NOT ${isAmount}
          THEN 'its amount is no whole number of minor units: ' || left(${amount}, 40)
        WHEN ${currency} IS NULL THEN 'its currency is missing'
        WHEN NOT isfinite(${booked}) THEN 'its booking time is not finite' END AS unreadable`,
      `${column(c.providerRef)}::text AS provider_ref`,
      `${column(c.chargeRef)}::text AS charge_ref`,
      `${column(c.reference)}::text AS reference`,
      `CASE WHEN ${isAmount} THEN ${amount} ELSE '0' END AS amount_minor`,
      `coalesce(${currency}, 'XXX') AS currency`,
      `CASE WHEN isfinite(${booked}) THEN ${booked} ELSE 'epoch' END AS booked_at`,
      `${booked}::text AS booked_text`,
      `CASE WHEN isfinite(${column(c.reversedAt)}::timestamptz) THEN ${column(c.reversedAt)}::timestamptz END AS reversed_at`,
      `${column(c.correctionId)}::text AS correction_id`,
    ].join(', '),
    from: `${from} t`,
    providerRef: column(c.providerRef),
    bookedAt: column(c.bookedAt),
    entryId: column(c.entryId),
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

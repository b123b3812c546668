import { z } from 'zod'
import type { CaseClass } from '@/lib/core/case-classes'
import type { MoneyJson } from '@/lib/core/money'
import { moneyJsonSchema } from '@/lib/core/money-json'
import type { Db } from '@/lib/db'

const moneyColumn = z
  .array(moneyJsonSchema)
  .nullable()
  .transform((money): MoneyJson[] => money ?? [])

const foundRow = z.object({
  cases: z.number(),
  open: z.number(),
  amounts: moneyColumn,
  open_amounts: moneyColumn,
  fees: moneyColumn,
  fees_untold: z.number(),
  detect_ms: z.number().nullable(),
})
const refundRow = z.object({ refunds: z.number(), amounts: moneyColumn })
const mendRow = z.object({ resolved: z.number(), mend_ms: z.number().nullable() })

const sums = (amount: string, currency: string, where = 'true') => `
    (SELECT jsonb_agg(jsonb_build_object('minor', minor::text, 'currency', currency) ORDER BY currency) FROM (
       SELECT ${currency} AS currency, sum(${amount}) AS minor FROM told
       WHERE ${where} AND ${amount} IS NOT NULL AND ${currency} IS NOT NULL GROUP BY 1) sums)`

const medianMs = (interval: string) =>
  `(extract(epoch FROM percentile_disc(0.5) WITHIN GROUP (ORDER BY ${interval})) * 1000)::float8`

/**
 * One case is one effect too many. Which of its effects that is: the case's own object, or of one reference the nth of them.
 * Its fee and its time are those of the provider's object.
 */
const FOUND = `
  WITH found AS (
    SELECT lifecycle, first_seen, amount_minor, currency,
      CASE WHEN class = 'duplicate_semantic' AND object_id ~ '#[0-9]{1,4}$'
        THEN effect_ids[split_part(object_id, '#', -1)::int + 1] ELSE object_id END AS extra
    FROM reconciliation_case
    WHERE class = ANY ($1) AND outcome = 'break' AND first_seen >= $2 AND first_seen < $3
  ), told AS (
    SELECT f.*, o.occurred_at, o.fee_minor, o.fee_currency
    FROM found f LEFT JOIN LATERAL (
      SELECT occurred_at, (data->>'feeMinor')::numeric AS fee_minor, currency AS fee_currency
      FROM mirror.object WHERE provider_ref = f.extra AND object_id = f.extra AND side = 'provider' LIMIT 1
    ) o ON true
  )
  SELECT count(*)::int AS cases, count(*) FILTER (WHERE lifecycle <> 'resolved')::int AS open,
    ${sums('amount_minor', 'currency')} AS amounts, ${sums('amount_minor', 'currency', "lifecycle <> 'resolved'")} AS open_amounts,
    ${sums('fee_minor', 'fee_currency')} AS fees, count(*) FILTER (WHERE fee_minor IS NULL)::int AS fees_untold,
    ${medianMs("greatest(first_seen - occurred_at, interval '0')")} AS detect_ms
  FROM told`

const REFUNDED = `
  WITH told AS (
    SELECT a.amount_minor, a.currency FROM action a JOIN reconciliation_case c ON c.id = a.case_id
    WHERE a.kind = 'refund' AND a.state = 'done' AND a.finished_at >= $2 AND a.finished_at < $3 AND c.class = ANY ($1)
  )
  SELECT count(*)::int AS refunds, ${sums('amount_minor', 'currency')} AS amounts FROM told`

const MENDED = `
  SELECT count(*)::int AS resolved, ${medianMs('resolved_at - first_seen')} AS mend_ms
  FROM reconciliation_case
  WHERE lifecycle = 'resolved' AND class = ANY ($1) AND outcome = 'break' AND resolved_at >= $2 AND resolved_at < $3`

export type DuplicateCost = {
  /** First seen in the window, and of these those that are open now. */
  cases: number
  open: number
  amounts: MoneyJson[]
  openAmounts: MoneyJson[]
  /** What the provider kept of them; of `feesUntold` it did not tell. */
  fees: MoneyJson[]
  feesUntold: number
  /** Refunds that ended in the window. */
  refunds: number
  refunded: MoneyJson[]
  /** Medians: from the effect to its case; from the case to its end, of those that ended in the window. Null = of none. */
  detectMs: number | null
  resolved: number
  mendMs: number | null
}

/** What confirmed duplicates of these classes cost in a window. */
export async function readDuplicateCost(
  db: Db,
  classes: readonly CaseClass[],
  { from, to }: { from: Date; to: Date },
): Promise<DuplicateCost> {
  const read = async (sql: string) => (await db.pool.query(sql, [classes, from, to])).rows[0]
  const [found, refunded, mended] = await Promise.all([read(FOUND), read(REFUNDED), read(MENDED)])
  const {
    open_amounts: openAmounts,
    fees_untold: feesUntold,
    detect_ms: detectMs,
    ...cost
  } = foundRow.parse(found)
  const { refunds, amounts } = refundRow.parse(refunded)
  const { resolved, mend_ms: mendMs } = mendRow.parse(mended)
  return { ...cost, openAmounts, feesUntold, detectMs, refunds, refunded: amounts, resolved, mendMs }
}

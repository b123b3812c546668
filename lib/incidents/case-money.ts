import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { hasCompared } from '@/lib/reconcile/report/has-compared'
import type { IncidentRange } from './range'

/** What became of the money of a case, each case once. */
export const MONEY_ENDS = ['refunded', 'mended', 'lost', 'open'] as const
export type MoneyEnd = (typeof MONEY_ENDS)[number]

export type CaseMoney = {
  cases: Record<MoneyEnd, number>
  /** By currency, every currency that a case names. */
  amounts: Record<MoneyEnd, MoneyJson[]>
  found: MoneyJson[]
}

/**
 * Cases that were confirmed in the range, by what became of them: refunded, mended otherwise, closed without a correction,
 * or open. Cases that turned out to be another one are counted with that one.
 */
const SQL = `
  SELECT e.ended, c.currency, count(*)::int AS count, sum(c.amount_minor)::text AS amount
  FROM reconciliation_case c CROSS JOIN LATERAL (
    SELECT CASE WHEN c.lifecycle <> 'resolved' THEN 'open'
      WHEN EXISTS (SELECT FROM action a WHERE a.case_id = c.id AND a.kind = 'refund' AND a.state = 'done') THEN 'refunded'
      WHEN c.resolution = 'by_hand' THEN 'lost' ELSE 'mended' END AS ended) e
  WHERE c.first_seen >= $1 AND c.first_seen < $2 AND c.outcome = 'break' AND c.resolution IS DISTINCT FROM 'merged'
    AND ($3::text IS NULL OR c.system = $3)
  GROUP BY 1, 2`

const rowSchema = z.object({
  ended: z.enum(MONEY_ENDS),
  currency: z.string().nullable(),
  count: z.number(),
  amount: z.string().nullable(),
})

/** Null = not known: nothing was ever reconciled. */
export async function readCaseMoney(
  db: Db,
  { from, to }: IncidentRange,
  system: string | null,
): Promise<CaseMoney | null> {
  const [compared, { rows }] = await Promise.all([hasCompared(db), db.pool.query(SQL, [from, to, system])])
  const parsed = z.array(rowSchema).parse(rows)
  if (!compared && parsed.length === 0) return null
  const currencies = [
    ...new Set(
      parsed.flatMap(({ currency, amount }) => (currency !== null && amount !== null ? [currency] : [])),
    ),
  ]
  const sum = (of: (row: z.output<typeof rowSchema>) => boolean): MoneyJson[] =>
    currencies.toSorted().map((currency) => ({
      minor: parsed
        .filter((row) => row.currency === currency && of(row))
        .reduce((total, { amount }) => total + BigInt(amount ?? 0), 0n)
        .toString(),
      currency,
    }))
  const byEnd = <T>(value: (end: MoneyEnd) => T) =>
    Object.fromEntries(MONEY_ENDS.map((end) => [end, value(end)])) as Record<MoneyEnd, T>
  return {
    cases: byEnd((end) => parsed.filter(({ ended }) => ended === end).reduce((n, { count }) => n + count, 0)),
    amounts: byEnd((end) => sum(({ ended }) => ended === end)),
    found: sum(() => true),
  }
}

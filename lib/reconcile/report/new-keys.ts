import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'
import { moneyJsonSchema } from '@/lib/core/money-json'
import type { Db } from '@/lib/db'

export type NewKeyCases = { client: string; cases: number; open: number; money: MoneyJson[] }

const rowSchema = z.object({
  client: z.string(),
  cases: z.number(),
  open: z.number(),
  money: z.array(moneyJsonSchema).nullable(),
})

const SQL = `
  WITH found AS (
    SELECT CASE WHEN strpos(scope, '/') > 0 THEN split_part(scope, '/', 1) ELSE '' END AS client, lifecycle,
      amount_minor, currency
    FROM reconciliation_case
    WHERE class = 'duplicate_semantic' AND outcome = 'break' AND first_seen >= $1 AND first_seen < $2
  ), amounts AS (
    SELECT client, currency, sum(amount_minor) AS minor FROM found
    WHERE amount_minor IS NOT NULL AND currency IS NOT NULL GROUP BY client, currency
  )
  SELECT client, count(*)::int AS cases, count(*) FILTER (WHERE lifecycle <> 'resolved')::int AS open,
    (SELECT jsonb_agg(jsonb_build_object('minor', a.minor::text, 'currency', a.currency) ORDER BY a.currency)
     FROM amounts a WHERE a.client = f.client) AS money
  FROM found f GROUP BY client`

/**
 * Suspected duplicates by caller: one reference charged twice under two keys, as reconciliation found it in the window.
 * `client` is '' where no record of a request names one.
 */
export async function readNewKeyCases(db: Db, window: { from: Date; to: Date }): Promise<NewKeyCases[]> {
  const { rows } = await db.pool.query(SQL, [window.from, window.to])
  return rows.map((raw) => {
    const { client, cases, open, money } = rowSchema.parse(raw)
    return { client, cases, open, money: money ?? [] }
  })
}

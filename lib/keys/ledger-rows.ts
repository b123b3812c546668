import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'
import type { Db } from '@/lib/db'

/** A posting in the application's own books, as it was last staged. */
export type LedgerPosting = {
  id: string
  source: string
  kind: string
  providerRef: string | null
  reference: string | null
  amount: MoneyJson | null
  bookedAt: string
  reversed: boolean
}

const rowSchema = z.object({
  object_id: z.string(),
  source_id: z.string(),
  kind: z.string(),
  status: z.string(),
  provider_ref: z.string().nullable(),
  reference: z.string().nullable(),
  amount_minor: z.string().nullable(),
  currency: z.string().nullable(),
  occurred_at: z.date(),
})

const POSTINGS_MAX = 50

/** Whatever is booked for what the key made, and what the mirror has joined to its operation where it has one. */
const SQL = `
  WITH own AS (
    SELECT o.operation_id, o.provider_ref FROM mirror.object o
    WHERE o.system = $1 AND o.scope = $2 AND o.key = $3 LIMIT 200
  ), booked AS (
    SELECT l.source_id, l.object_id FROM mirror.object l WHERE l.operation_id IN (SELECT operation_id FROM own)
    UNION SELECT l.source_id, l.object_id FROM mirror.object l WHERE l.provider_ref IN (SELECT provider_ref FROM own)
  )
  SELECT l.object_id, l.source_id, l.kind, l.status, l.provider_ref, l.reference, l.amount_minor::text, l.currency,
    l.occurred_at
  FROM booked JOIN mirror.object l USING (source_id, object_id)
  WHERE l.system = $1 AND l.side = 'ledger' AND l.gone_at IS NULL
  ORDER BY l.occurred_at, l.object_id LIMIT ${POSTINGS_MAX}`

/** What the books hold of one key's operation, oldest first; null = its system has no ledger among the sources. */
export async function readLedgerRows(
  db: Db,
  { source, scope, key }: { source: string; scope: string; key: string },
  sources: readonly { id: string; kind: string; system: string }[],
): Promise<LedgerPosting[] | null> {
  const system = sources.find(({ id }) => id === source)?.system
  const ledger = sources.find((each) => each.kind === 'ledger' && each.system === system)
  if (ledger === undefined) return null
  const { rows } = await db.pool.query(SQL, [ledger.system, scope, key])
  return rows.map((raw) => {
    const row = rowSchema.parse(raw)
    const { amount_minor: minor, currency } = row
    return {
      id: row.object_id,
      source: row.source_id,
      kind: row.kind,
      providerRef: row.provider_ref,
      reference: row.reference,
      amount: minor === null || currency === null ? null : { minor, currency },
      bookedAt: row.occurred_at.toISOString(),
      reversed: row.status === 'reversed',
    }
  })
}

import type { PoolClient } from 'pg'

export interface Posting {
  readonly kind: 'charge' | 'refund'
  readonly providerRef: string
  readonly chargeRef: string
  readonly reference: string
  readonly amountMinor: bigint
  readonly currency: string
}

/** Books money that moved, once. A charge is booked when it is captured. False = it was booked before. */
export async function book(tx: Pick<PoolClient, 'query'>, posting: Posting): Promise<boolean> {
  await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('ledger:' || $1, 0))`, [posting.providerRef])
  const { rowCount } = await tx.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     SELECT $1, $2, $3, $4, $5::bigint, $6
     WHERE NOT EXISTS (SELECT FROM ledger_entry WHERE provider_ref = $2 AND entry_kind = $1)`,
    [
      posting.kind,
      posting.providerRef,
      posting.chargeRef,
      posting.reference,
      posting.amountMinor,
      posting.currency,
    ],
  )
  return rowCount === 1
}

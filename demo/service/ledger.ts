import type { PoolClient } from 'pg'

export interface Posting {
  readonly kind: 'charge' | 'refund'
  readonly providerRef: string
  readonly chargeRef: string
  readonly reference: string
  readonly amountMinor: bigint
  readonly currency: string
}

/** Books money that moved. A charge is booked when it is captured. */
export async function book(tx: Pick<PoolClient, 'query'>, posting: Posting): Promise<void> {
  await tx.query(
    `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      posting.kind,
      posting.providerRef,
      posting.chargeRef,
      posting.reference,
      posting.amountMinor,
      posting.currency,
    ],
  )
}

import type { LedgerCorrection, LedgerSource } from '@/lib/sources/contracts'

const BOOKED_AS = {
  book_charge: 'charge',
  book_refund: 'refund',
  book_dispute: 'dispute',
  book_fee: 'fee',
} as const

/** A posting of a kind that the mapping does not know would never be recognised again. Null = it would be. */
export function whyNotBookable(
  ledger: Pick<LedgerSource, 'postingKinds'>,
  kind: LedgerCorrection['kind'],
): string | null {
  if (kind === 'reverse' || ledger.postingKinds.includes(BOOKED_AS[kind])) return null
  const name = BOOKED_AS[kind]
  return `The ledger's mapping has no kind for a ${name} (kinds.${name} of the source): nothing is booked.`
}

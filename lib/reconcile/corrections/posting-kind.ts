import { BOOKED_AS, type LedgerCorrection, type LedgerSource } from '@/lib/sources/contracts'

/** What the mapping does not show would never be recognised again, a posting as little as a reversal. Null = it would be. */
export function whyNotBookable(
  ledger: Pick<LedgerSource, 'postingKinds' | 'showsReversals'>,
  kind: LedgerCorrection['kind'],
): string | null {
  if (kind === 'reverse') {
    return ledger.showsReversals
      ? null
      : 'The ledger’s mapping does not say what is reversed (columns.reversedAt of the source): nothing is reversed.'
  }
  if (ledger.postingKinds.includes(BOOKED_AS[kind])) return null
  const name = BOOKED_AS[kind]
  return `The ledger's mapping has no kind for a ${name} (kinds.${name} of the source): nothing is booked.`
}

/** The demo service's ledger, as a source is told of it. */
export const LEDGER_CONFIG = {
  relation: { schema: 'public', name: 'ledger_entry' },
  columns: {
    entryId: 'entry_id',
    kind: 'entry_kind',
    providerRef: 'provider_ref',
    chargeRef: 'charge_ref',
    reference: 'reference',
    amountMinor: 'amount_minor',
    currency: 'currency',
    bookedAt: 'booked_at',
    reversedAt: 'reversed_at',
    correctionId: 'correction_id',
  },
  kinds: { charge: ['charge'], refund: ['refund'], fee: ['fee'], dispute: ['dispute'] },
  correction: { schema: 'public', name: 'payments_apply_correction' },
}

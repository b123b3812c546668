import type { ClassifyContext } from '@/lib/reconcile/classify/finding'
import type {
  Charge,
  Dispute,
  Life,
  LifeEffect,
  Operation,
  Posting,
  Refund,
} from '@/lib/reconcile/classify/operation'

/** Builders of staged operations. Times are in seconds before `NOW`; everything is settled unless a test says so. */

export const NOW = new Date('2026-11-22T12:00:00Z')
export const SCOPE = 'web/POST /v1/payments'
export const ago = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000)

export const CONTEXT: ClassifyContext = {
  asOf: NOW,
  breakOnMs: 15_000,
  leaseGraceMs: 1_000,
  clockSkewMs: 1_000,
  settleDelayMs: 3_000,
  callMs: 0,
  rules: [],
  sides: { intent: 'complete', ledger: 'complete', provider: 'complete' },
  coverage: { from: ago(86_400), to: ago(1) },
  canLookUp: (id) => !id.startsWith('own_'),
  lookedUp: { has: () => true } as unknown as ReadonlySet<string>,
}

export const effect = (
  reference: string | null,
  step = 'charge',
  state: LifeEffect['state'] = 'committed',
): LifeEffect => ({
  name: `stripe.${step}`,
  step,
  state,
  reference,
  amountMinor: 1050n,
  currency: 'USD',
  begunAt: ago(300),
  settledAt: ago(299),
})

export const record = (over: Partial<Life> = {}): Life => ({
  sourceId: 'src_store',
  objectId: `${SCOPE}|k1|${over.acquiredAt?.toISOString() ?? 'first'}`,
  scope: SCOPE,
  key: 'k1',
  status: 'completed',
  gone: false,
  acquiredAt: ago(301),
  leaseUntil: null,
  observedAt: NOW,
  expiresAt: new Date(NOW.getTime() + 86_400_000),
  completedAt: ago(298),
  httpStatus: 201,
  fence: '1',
  overdue: false,
  reference: 'order-1',
  effects: [effect('ch_1')],
  names: ['ch_1'],
  ...over,
})

export const lease = (over: Partial<Life> = {}): Life =>
  record({
    status: 'leased',
    leaseUntil: ago(295),
    expiresAt: null,
    completedAt: null,
    httpStatus: null,
    reference: null,
    effects: [],
    names: [],
    ...over,
  })

export const charge = (over: Partial<Charge> = {}): Charge => ({
  sourceId: 'src_provider',
  id: 'ch_1',
  status: 'succeeded',
  rawStatus: 'succeeded',
  unreadable: null,
  amountMinor: 1050n,
  currency: 'USD',
  scope: SCOPE,
  key: 'k1',
  step: 'charge',
  reference: 'order-1',
  actionId: null,
  createdAt: ago(300),
  stagedAt: ago(299),
  observedAt: ago(10),
  modeMix: false,
  paymentIntentId: 'pi_1',
  names: [over.id ?? 'ch_1', over.paymentIntentId ?? 'pi_1'],
  taggedBy: over.id ?? 'ch_1',
  captured: true,
  capturedMinor: 1050n,
  releasedMinor: 0n,
  refundedMinor: 0n,
  feeMinor: null,
  feeRef: null,
  takenAt: null,
  ...over,
})

export const refund = (over: Partial<Refund> = {}): Refund => ({
  sourceId: 'src_provider',
  id: 're_1',
  status: 'succeeded',
  rawStatus: 'succeeded',
  unreadable: null,
  amountMinor: 500n,
  currency: 'USD',
  scope: 'web/POST /v1/payments/{id}/refunds',
  key: 'rk1',
  step: 'refund',
  reference: 'order-1',
  actionId: null,
  createdAt: ago(200),
  stagedAt: ago(199),
  observedAt: ago(10),
  modeMix: false,
  chargeId: 'ch_1',
  failedAt: null,
  ...over,
})

export const dispute = (over: Partial<Dispute> = {}): Dispute => ({
  ...refund({ id: 'du_1', amountMinor: 1050n, scope: null, key: null, step: null, reference: null }),
  status: 'pending',
  rawStatus: 'needs_response',
  takenAt: null,
  ...over,
})

export const posting = (over: Partial<Posting> = {}): Posting => ({
  sourceId: 'src_ledger',
  entryId: '1',
  kind: 'charge',
  rawKind: 'charge',
  providerRef: 'ch_1',
  chargeRef: 'ch_1',
  reference: 'order-1',
  amountMinor: 1050n,
  currency: 'USD',
  bookedAt: ago(298),
  reversed: false,
  correctionId: null,
  ...over,
})

export const operation = (over: Partial<Operation> = {}): Operation => ({
  id: 1n,
  system: 'payments',
  lives: [record()],
  charges: [charge()],
  payments: [],
  refunds: [],
  disputes: [],
  postings: [posting()],
  mismatches: [],
  ...over,
})

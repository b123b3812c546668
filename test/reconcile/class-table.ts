import type { CaseClass } from '@/lib/core/case-classes'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import type { ClassifyContext } from '@/lib/reconcile/classify/finding'
import type { Operation } from '@/lib/reconcile/classify/operation'
import {
  ago,
  CONTEXT,
  charge,
  dispute,
  effect,
  lease,
  operation,
  posting,
  record,
  refund,
  SCOPE,
} from './build'

export const classify = (over: Partial<Operation>, ctx: Partial<ClassifyContext> = {}) =>
  classifyOperation(operation(over), { ...CONTEXT, ...ctx })
export const found = (over: Partial<Operation>, ctx: Partial<ClassifyContext> = {}) =>
  classify(over, ctx).findings.map((finding) => `${finding.class}:${finding.outcome}`)

const REFUNDS = 'web/POST /v1/payments/{id}/refunds'
export const refundRecord = record({
  scope: REFUNDS,
  key: 'rk1',
  effects: [effect('re_1', 'refund')],
  names: ['re_1', 'ch_1'],
  reference: null,
})
export const refundPosting = posting({
  entryId: '9',
  kind: 'refund',
  rawKind: 'refund',
  providerRef: 're_1',
  amountMinor: 500n,
})
export const refunded = {
  lives: [record(), refundRecord],
  refunds: [refund()],
  postings: [posting(), refundPosting],
}
export const again = (over: Partial<ReturnType<typeof charge>> = {}) =>
  charge({ id: 'ch_2', paymentIntentId: 'pi_2', createdAt: ago(290), ...over })
export const absent = (over = {}) =>
  charge({
    status: 'absent',
    scope: null,
    key: null,
    reference: null,
    captured: false,
    capturedMinor: 0n,
    ...over,
  })

/** Every class that store, ledger and provider can show, each alone. */
export const TABLE: [CaseClass, Partial<Operation>, Partial<ClassifyContext>?][] = [
  ['mode_mix', { charges: [charge({ modeMix: true })], postings: [] }],
  ['unclassified', { charges: [charge({ status: 'other', rawStatus: 'novel' })], postings: [] }],
  ['unclassified', { postings: [posting(), posting({ entryId: '2', kind: 'other', rawKind: 'fee' })] }],
  [
    'expired_key_retry',
    {
      lives: [
        record({ expiresAt: ago(295), acquiredAt: ago(400) }),
        record({ acquiredAt: ago(291), effects: [effect('ch_2')], names: ['ch_2'] }),
      ],
      charges: [charge(), again()],
      postings: [posting(), posting({ entryId: '2', providerRef: 'ch_2' })],
    },
  ],
  ['duplicate_same_key', { charges: [charge(), again()] }],
  [
    'duplicate_semantic',
    {
      lives: [record(), record({ key: 'k2', effects: [effect('ch_2')], names: ['ch_2'] })],
      charges: [charge(), again({ key: 'k2' })],
      postings: [posting(), posting({ entryId: '2', providerRef: 'ch_2' })],
    },
  ],
  ['stuck_effect_done', { lives: [lease()], postings: [] }],
  [
    'stuck_unknown',
    { lives: [lease()], charges: [], postings: [] },
    { sides: { ...CONTEXT.sides, provider: 'incomplete' } },
  ],
  [
    'stuck_unknown',
    { lives: [lease()], charges: [], postings: [] },
    { coverage: { from: ago(100), to: ago(1) } },
  ],
  // What the provider lists proves nothing of a mail, whether its end is known or not.
  ['stuck_unknown', { lives: [lease({ effects: [effect('em_1', 'mail')] })], charges: [], postings: [] }],
  [
    'stuck_unknown',
    {
      lives: [lease({ status: 'unknown', effects: [effect(null, 'mail', 'unknown')] })],
      charges: [],
      postings: [],
    },
  ],
  [
    'stuck_no_effect',
    { lives: [lease({ effects: [effect(null, 'mail', 'failed')] })], charges: [], postings: [] },
  ],
  ['stuck_no_effect', { lives: [lease()], charges: [], postings: [] }],
  ['stuck_no_effect', { lives: [lease({ status: 'unknown' })], charges: [], postings: [] }],
  ['failed_but_charged', { lives: [record({ httpStatus: 500 })], postings: [] }],
  ['reversed_after_post', { charges: [charge({ status: 'failed', captured: false, capturedMinor: 0n })] }],
  ['phantom_ledger', { lives: [], charges: [absent()] }],
  ['phantom_ledger', { lives: [], charges: [charge({ status: 'failed' })] }],
  ['done_but_no_effect', { charges: [absent()], postings: [] }],
  ['done_but_no_effect', { lives: [record(), refundRecord], refunds: [] }],
  ['orphan_effect', { lives: [], postings: [] }],
  ['orphan_effect', { lives: [lease({ gone: true })], postings: [] }],
  ['ledger_missing', { postings: [] }],
  ['ledger_missing', { postings: [posting({ reversed: true })] }],
  ['status_lag', { charges: [charge({ status: 'pending', captured: false, capturedMinor: 0n })] }],
  ['duplicate_ledger', { postings: [posting(), posting({ entryId: '2' })] }],
  ['currency_mismatch', { postings: [posting({ currency: 'EUR' })] }],
  ['amount_mismatch', { postings: [posting({ amountMinor: 999n })] }],
  ['partial_capture', { charges: [charge({ capturedMinor: 700n })] }],
  [
    'fee_variance',
    {
      charges: [charge({ feeMinor: 60n })],
      postings: [posting(), posting({ entryId: '2', kind: 'fee', rawKind: 'fee', amountMinor: 59n })],
    },
  ],
  ['dispute_unbooked', { disputes: [dispute()] }],
  ['dispute_unbooked', { disputes: [dispute({ status: 'succeeded', rawStatus: 'lost' })] }],
  [
    'over_refund',
    {
      ...refunded,
      refunds: [refund({ amountMinor: 2000n })],
      postings: [posting(), { ...refundPosting, amountMinor: 2000n }],
    },
  ],
  ['refund_failed', { ...refunded, refunds: [refund({ status: 'failed' })] }],
  ['refund_unsent', { postings: [posting(), refundPosting] }],
  ['refund_unbooked', { ...refunded, postings: [posting()] }],
  [
    'key_reuse_mismatch',
    { mismatches: [{ scope: SCOPE, key: 'k1', firstAt: ago(60), lastAt: ago(60), count: 1 }] },
  ],
  [
    'reaped_unfinished',
    { lives: [lease({ status: 'retryable', overdue: true })], charges: [], postings: [] },
  ],
]

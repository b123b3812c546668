import { describe, expect, test } from 'vitest'
import { CASE_CLASS_NAMES, type CaseClass } from '@/lib/core/case-classes'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import type { ClassifyContext } from '@/lib/reconcile/classify/finding'
import type { Operation } from '@/lib/reconcile/operation'
import {
  ago,
  CONTEXT,
  charge,
  dispute,
  effect,
  lease,
  NOW,
  operation,
  posting,
  record,
  refund,
  SCOPE,
} from './build'

const classify = (over: Partial<Operation>, ctx: Partial<ClassifyContext> = {}) =>
  classifyOperation(operation(over), { ...CONTEXT, ...ctx })
const found = (over: Partial<Operation>, ctx: Partial<ClassifyContext> = {}) =>
  classify(over, ctx).findings.map((finding) => `${finding.class}:${finding.outcome}`)

const REFUNDS = 'web/POST /v1/payments/{id}/refunds'
const refundRecord = record({
  scope: REFUNDS,
  key: 'rk1',
  effects: [effect('re_1', 'refund')],
  names: ['re_1', 'ch_1'],
  reference: null,
})
const refundPosting = posting({
  entryId: '9',
  kind: 'refund',
  rawKind: 'refund',
  providerRef: 're_1',
  amountMinor: 500n,
})
const refunded = {
  lives: [record(), refundRecord],
  refunds: [refund()],
  postings: [posting(), refundPosting],
}
const again = (over: Partial<ReturnType<typeof charge>> = {}) =>
  charge({ id: 'ch_2', paymentIntentId: 'pi_2', createdAt: ago(290), ...over })
const absent = (over = {}) =>
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
const TABLE: [CaseClass, Partial<Operation>, Partial<ClassifyContext>?][] = [
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

describe('one class alone', () => {
  test.each(TABLE)('%s', (name, over, ctx = {}) => {
    expect(found(over, ctx)).toEqual([`${name}:break`])
  })

  test('the table is whole', () => {
    const shown = new Set(TABLE.map(([name]) => name))
    expect(CASE_CLASS_NAMES.filter((name) => !shown.has(name))).toEqual([])
  })
})

describe('nothing is wrong', () => {
  const OF_NOTHING: [string, Partial<Operation>, Partial<ClassifyContext>?][] = [
    ['a payment on all sides', {}],
    [
      'a live lease',
      { lives: [lease({ leaseUntil: new Date(NOW.getTime() + 5_000) })], charges: [], postings: [] },
    ],
    ['a live lease with its charge made', { lives: [lease({ leaseUntil: NOW })], postings: [] }],
    [
      'a retryable key with a negative read',
      { lives: [lease({ status: 'retryable' })], charges: [], postings: [] },
    ],
    [
      'a charge that is not captured yet',
      { charges: [charge({ captured: false, capturedMinor: 0n })], postings: [] },
    ],
    [
      'a captured charge, with the capture’s own key',
      {
        lives: [
          record(),
          record({
            scope: 'web/POST /v1/payments/{id}/capture',
            key: 'c1',
            effects: [effect('ch_1', 'capture')],
          }),
        ],
      },
    ],
    [
      'a partial capture booked as captured',
      { charges: [charge({ capturedMinor: 700n })], postings: [posting({ amountMinor: 700n })] },
    ],
    [
      'split postings',
      { postings: [posting({ amountMinor: 600n }), posting({ entryId: '2', amountMinor: 450n })] },
    ],
    ['a refund on all sides', refunded],
    [
      'our own refund of a surplus',
      {
        charges: [charge(), again({ refundedMinor: 1050n })],
        refunds: [
          refund({ chargeId: 'ch_2', amountMinor: 1050n, actionId: 'act_1', scope: null, key: null }),
        ],
      },
    ],
    ['a surplus given back whole', { charges: [charge(), again({ refundedMinor: 1050n })] }],
    [
      'a decline stored as 402',
      {
        lives: [record({ httpStatus: 402, effects: [effect(null, 'charge', 'failed')], names: [] })],
        charges: [charge({ status: 'failed', captured: false, capturedMinor: 0n })],
        postings: [],
      },
    ],
    [
      'a decline, then a success on the same key',
      { charges: [charge({ id: 'ch_0', status: 'failed', captured: false, capturedMinor: 0n }), charge()] },
    ],
    ['charge and posting whose record was collected', { lives: [] }],
    ['two purchases with one customer and amount', { charges: [charge({ reference: 'order-1' })] }],
    [
      'same reference, other amount',
      {
        lives: [record(), record({ key: 'k2', effects: [effect('ch_2')], names: ['ch_2'] })],
        charges: [charge(), again({ key: 'k2', amountMinor: 99n, capturedMinor: 99n })],
        postings: [posting(), posting({ entryId: '2', providerRef: 'ch_2', amountMinor: 99n })],
      },
    ],
    [
      'a record of a route without effects',
      { lives: [record({ effects: [], names: ['msg_1'] })], charges: [], postings: [] },
    ],
    [
      'an effect that is no charge',
      { lives: [record({ effects: [effect('msg_1', 'mail')], names: [] })], charges: [], postings: [] },
    ],
    [
      'a fee booked as the provider kept it, a dispute booked, and one that was won',
      {
        charges: [charge({ feeMinor: 60n })],
        disputes: [dispute(), dispute({ id: 'du_2', status: 'canceled', rawStatus: 'won' })],
        postings: [
          posting(),
          posting({ entryId: '2', kind: 'fee', rawKind: 'fee', amountMinor: 60n }),
          posting({ entryId: '3', kind: 'dispute', rawKind: 'dispute', providerRef: 'du_1' }),
        ],
      },
    ],
    ['a posting by payment intent', { postings: [posting({ providerRef: 'pi_1' })] }],
  ]
  test.each(OF_NOTHING)('%s', (_, over, ctx = {}) => {
    expect(found(over, ctx)).toEqual([])
  })
})

describe('expected is not an exception', () => {
  test('what is merely not there yet is pending until its grace ends', () => {
    const young = {
      charges: [charge({ createdAt: ago(5) })],
      lives: [record({ completedAt: ago(4) })],
      postings: [],
    }
    const { findings, recheckAt } = classify(young)
    expect(findings.map(({ outcome }) => outcome)).toEqual(['pending'])
    expect(recheckAt).toEqual(new Date(ago(4).getTime() + 15_000))
  })

  test('nothing is called missing before it was looked up by id', () => {
    const { findings, lookUps } = classify({ postings: [] }, { lookedUp: new Set() })
    expect(findings.map(({ outcome }) => outcome)).toEqual(['pending'])
    expect(lookUps).toEqual([{ kind: 'ledger', ref: 'ch_1' }])
  })

  test('no negative read where the listing does not reach the settle delay', () => {
    const { findings, recheckAt } = classify(
      { lives: [lease()], charges: [], postings: [] },
      { coverage: { from: ago(86_400), to: ago(10) } },
    )
    expect(findings.map((f) => `${f.class}:${f.outcome}`)).toEqual(['stuck_unknown:pending'])
    expect(recheckAt).not.toBeNull()
  })

  test('absence in a source that failed asserts nothing', () => {
    expect(found({ postings: [] }, { sides: { ...CONTEXT.sides, ledger: 'incomplete' } })).toEqual([
      'ledger_missing:pending',
    ])
    expect(found({ lives: [], postings: [] }, { sides: { ...CONTEXT.sides, intent: 'incomplete' } })).toEqual(
      ['orphan_effect:pending'],
    )
  })

  test('a system without a ledger misses no posting', () => {
    expect(found({ postings: [] }, { sides: { ...CONTEXT.sides, ledger: 'none' } })).toEqual([])
  })

  test('a lagging status is P3 while pending and P2 as a break', () => {
    const lag = {
      charges: [charge({ status: 'pending', captured: false, capturedMinor: 0n, createdAt: ago(5) })],
      lives: [record({ completedAt: ago(4) })],
    }
    expect(classify(lag).findings[0]?.severity).toBe('P3')
    expect(
      classify({ ...lag, charges: [charge({ status: 'pending', createdAt: ago(60) })], lives: [record()] })
        .findings[0]?.severity,
    ).toBe('P2')
  })
})

describe('evidence and subject', () => {
  test('the duplicate to refund is the one that neither record nor ledger names', () => {
    const [finding] = classify({ charges: [again({ id: 'ch_0', createdAt: ago(302) }), charge()] }).findings
    expect(finding?.subject).toEqual({
      scope: SCOPE,
      key: 'k1',
      effectIds: ['ch_0', 'ch_1'],
      reference: 'order-1',
    })
    expect(finding?.evidence).toMatchObject({ refund: ['ch_0'] })
  })

  test('where record and ledger name both, a person must choose', () => {
    const both = {
      charges: [charge(), again()],
      postings: [posting(), posting({ entryId: '2', providerRef: 'ch_2' })],
    }
    expect(classify(both).findings[0]?.evidence).toMatchObject({ refund: null })
  })

  test('three effects on one key are a break for each later one', () => {
    const three = { charges: [charge(), again(), again({ id: 'ch_3', createdAt: ago(280) })] }
    expect(classify(three).findings.map(({ objectId }) => objectId)).toEqual(['ch_2', 'ch_3'])
  })

  test('a wrong exponent is suspected where the ratio is exact', () => {
    const ten = classify({ postings: [posting({ amountMinor: 105_000n })] }).findings[0]
    expect(ten?.evidence).toMatchObject({ suspectedExponent: 2 })
    expect(classify({ postings: [posting({ amountMinor: 1234n })] }).findings[0]?.evidence).toMatchObject({
      suspectedExponent: null,
    })
  })

  test('the class changes as evidence arrives, the identity does not', () => {
    const stages = [
      classify({ lives: [lease()], charges: [], postings: [] }),
      classify({ lives: [lease()], postings: [] }),
      classify({ postings: [] }),
      classify({ lives: [lease({ gone: true })], postings: [] }),
    ].map(({ findings }) => findings[0])
    expect(stages.map((f) => f?.class)).toEqual([
      'stuck_no_effect',
      'stuck_effect_done',
      'ledger_missing',
      'orphan_effect',
    ])
    expect(new Set(stages.map((f) => `${f?.aspect}|${f?.objectId}`)).size).toBe(1)
  })

  test('evidence does not change by looking again later', () => {
    const later = {
      asOf: new Date(NOW.getTime() + 60_000),
      coverage: { from: ago(86_400), to: new Date(NOW.getTime() + 59_000) },
    }
    for (const [, over, ctx = {}] of TABLE) {
      const [one, two] = [classify(over, ctx), classify(over, { ...later, ...ctx })]
      expect(two.findings.map(({ evidence }) => evidence)).toEqual(
        one.findings.map(({ evidence }) => evidence),
      )
    }
  })

  test('quarantine suppresses the rest; other aspects stand beside each other', () => {
    expect(found({ charges: [charge({ modeMix: true }), again()], postings: [] })).toEqual(['mode_mix:break'])
    expect(
      found({ charges: [charge(), again()], postings: [posting({ amountMinor: 999n })] }).sort(),
    ).toEqual(['amount_mismatch:break', 'duplicate_same_key:break'])
  })
})

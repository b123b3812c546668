import { describe, expect, test } from 'vitest'
import { CASE_CLASS_NAMES } from '@/lib/core/case-classes'
import type { ClassifyContext } from '@/lib/reconcile/classify/finding'
import type { Operation } from '@/lib/reconcile/classify/operation'
import { charge, dispute, effect, lease, NOW, posting, record, refund } from './build'
import { again, found, refunded, TABLE } from './class-table'

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
      'our own refund of a duplicate',
      {
        charges: [charge(), again({ refundedMinor: 1050n })],
        refunds: [
          refund({ chargeId: 'ch_2', amountMinor: 1050n, actionId: 'act_1', scope: null, key: null }),
        ],
      },
    ],
    ['a duplicate given back whole', { charges: [charge(), again({ refundedMinor: 1050n })] }],
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

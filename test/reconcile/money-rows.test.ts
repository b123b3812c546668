import { expect, test } from 'vitest'
import { moneyRows } from '@/lib/reconcile/cases/money-rows'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import { ago, CONTEXT, charge, dispute, operation, posting, refund } from './build'

const rowsOf = (over: Parameters<typeof operation>[0], name: string) => {
  const finding = classifyOperation(operation(over), CONTEXT).findings.find((each) => each.class === name)
  return moneyRows(finding?.evidence)
}

test('the money of a charge reads as a table: what was taken, what went back and why, what is left', () => {
  const unsent = posting({ entryId: '2', kind: 'refund', providerRef: 're_never', amountMinor: 300n })
  const booked = posting({ entryId: '3', kind: 'refund', providerRef: 're_1', amountMinor: 500n })
  const rows = rowsOf(
    {
      charges: [charge({ refundedMinor: 550n })],
      refunds: [refund(), refund({ id: 're_2', amountMinor: 50n, key: null, scope: null })],
      disputes: [dispute({ status: 'canceled' })],
      postings: [posting(), unsent, booked],
    },
    'refund_unsent',
  )
  expect(rows).toMatchObject([
    {
      charge: 'ch_1',
      rows: [
        { what: 'Captured', amount: '$10.50' },
        { what: 'Refund, succeeded', id: 're_1', explanation: 'Booked as posting 3', attention: false },
        { what: 'Refund, succeeded', id: 're_2', explanation: 'No posting explains it', attention: true },
        { what: 'Posting 2, not at the provider', explanation: 'Still owed', attention: true },
        { what: 'Dispute, closed', attention: false },
        { what: 'Refunded in total', amount: '$5.50' },
        { what: 'Left to refund', amount: '$5.00' },
      ],
    },
  ])
})

test('a failed refund names the one that was sent in its place', () => {
  const failed = refund({ status: 'failed' })
  const again = refund({ id: 're_2', createdAt: ago(100) })
  const postings = [
    posting(),
    posting({ entryId: '2', kind: 'refund', providerRef: 're_1', amountMinor: 500n }),
    posting({ entryId: '3', kind: 'refund', providerRef: 're_2', amountMinor: 500n }),
  ]
  const charges = [charge({ refundedMinor: 500n })]
  const [picture] = rowsOf({ charges, refunds: [failed, again], postings }, 'refund_failed')
  expect(picture?.rows).toContainEqual({
    what: 'Refund, failed',
    id: 're_1',
    amount: '$5.00',
    explanation: 'Sent again as re_2',
    attention: false,
  })
})

test('a case that moves no money has no such table', () => {
  expect(moneyRows({ sides: {} })).toEqual([])
})

import { expect, test } from 'vitest'
import { groupCauses, sumAmounts } from '@/lib/effects/causes'
import { effectsSentence } from '@/lib/effects/describe-effects'
import type { CausedEffect } from '@/lib/effects/read-causes'

const effect = (over: Partial<CausedEffect>): CausedEffect => ({
  id: 'a',
  at: '2026-11-22T02:00:00.000Z',
  effectId: 'ch_1',
  name: 'stripe.charge',
  step: 'charge',
  scope: 'web/POST /v1/payments',
  service: 'payments',
  version: '1.4.2',
  key: 'k1',
  sourceId: 'src_a',
  traceId: null,
  amount: { minor: '8990', currency: 'EUR' },
  caseId: null,
  class: null,
  ...over,
})

const SEEN = [
  effect({ id: 'a' }),
  effect({ id: 'b', effectId: 'ch_2', key: 'k2', caseId: 'case_1', class: 'duplicate_same_key' }),
  effect({ id: 'c', effectId: 'ch_3', key: 'k1', amount: { minor: '9007199254740993', currency: 'USD' } }),
  effect({ id: 'd', effectId: 'ch_4', key: 'k3', version: '1.4.1' }),
]
const UNSEEN = [
  {
    caseId: 'case_2',
    at: '2026-11-22T02:05:00.000Z',
    class: 'duplicate_semantic',
    scope: 'web/POST /v1/payments',
    key: 'k9',
    sourceId: 'src_a',
    effectIds: ['ch_8', 'ch_9'],
    amount: { minor: '100', currency: 'EUR' },
  },
]

test('grouped by operation and build, the most effects first; cases without a span on their own', () => {
  const causes = groupCauses(SEEN, UNSEEN)
  expect(
    causes.map(({ build, effects, keys, confirmed }) => [build, effects.length, keys, confirmed]),
  ).toEqual([
    ['payments 1.4.2', 3, 2, 1],
    [null, 1, 1, 1],
    ['payments 1.4.1', 1, 1, 0],
  ])
})

test('money is summed a currency, exactly beyond 2^53', () => {
  expect(sumAmounts(SEEN)).toEqual([
    { minor: '26970', currency: 'EUR' },
    { minor: '9007199254740993', currency: 'USD' },
  ])
})

const NONE = { duplicate: 0, orphan: 0 }

test('none, not measured, and a lower bound are told apart', () => {
  const none = { causes: [], amounts: [], committed: 0n, more: false, bySpans: 0, counts: NONE }
  const unseen = { ...none, counts: { duplicate: null, orphan: null } }
  expect(effectsSentence('duplicate', unseen)).toContain('duplicates are not measured')
  expect(effectsSentence('orphan', unseen)).toContain('orphans are not measured')
  expect(effectsSentence('orphan', none)).toBe('Every effect that is known has a record that answers for it.')
  expect(effectsSentence('duplicate', { ...none, committed: 120n })).toBe(
    'None of the 120 effects in this range happened twice.',
  )
  const causes = groupCauses(SEEN, [])
  const sentence = effectsSentence('duplicate', {
    causes,
    amounts: sumAmounts(SEEN),
    committed: 9n,
    bySpans: 4,
    counts: { duplicate: 4, orphan: 0 },
    more: true,
  })
  expect(sentence).toMatch(/^At least 4 effects happened twice/)
  expect(sentence).toContain('€269.70 and $90,071,992,547,409.93 at risk')
})

test('the list behind a point of the chart says how many the chart counted, and why it has others', () => {
  const causes = groupCauses(SEEN, UNSEEN)
  const counts = { duplicate: 5, orphan: 0 }
  const page = { causes, amounts: sumAmounts(SEEN), committed: 9n, counts, bySpans: 4, more: false }
  expect(effectsSentence('duplicate', page, 4)).toContain(
    'Spans told of 4 of them; 1 was found by reconciliation alone. The chart counts 4.',
  )
  expect(effectsSentence('duplicate', page, 3)).toContain('The chart counted 3 when it was drawn')
  expect(effectsSentence('duplicate', page)).not.toContain('chart')
})

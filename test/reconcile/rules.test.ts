import { describe, expect, test } from 'vitest'
import { classifyOperation } from '@/lib/reconcile/classify/classify-operation'
import type { Operation } from '@/lib/reconcile/classify/operation'
import { type Rule, rulesSchema } from '@/lib/reconcile/rules/rules'
import { ago, CONTEXT, charge, effect, operation, posting, record, refund } from './build'

const found = (over: Partial<Operation>, rules: Rule[]) =>
  classifyOperation(operation(over), { ...CONTEXT, rules }).findings.map(
    (each) => `${each.class}:${each.outcome}`,
  )
const booked = (amountMinor: bigint) => ({ postings: [posting({ amountMinor })] })

describe('tolerances per rule', () => {
  const absolute: Rule = { name: 'cents', when: { currency: 'USD' }, amountMinor: '2' }
  const percent: Rule = { name: 'percent', when: { class: ['amount_mismatch'] }, percent: 1 }

  test('absolute, in minor units: to the last one, and not beyond', () => {
    expect(found(booked(1052n), [absolute])).toEqual([])
    expect(found(booked(1048n), [absolute])).toEqual([])
    expect(found(booked(1053n), [absolute])).toEqual(['amount_mismatch:break'])
  })

  test('percent of what is expected, in whole hundredths of a percent', () => {
    expect(found(booked(1060n), [percent])).toEqual([])
    expect(found(booked(1061n), [percent])).toEqual(['amount_mismatch:break'])
    const fine = { ...percent, percent: 0.09 }
    expect(found(booked(1050n), [fine])).toEqual([])
    expect(found(booked(1051n), [fine])).toEqual(['amount_mismatch:break'])
  })

  test('the first rule that fits counts; another currency, kind or scope is not spoken of', () => {
    const strict: Rule = { name: 'strict', when: { currency: 'USD' }, amountMinor: '0' }
    expect(found(booked(1052n), [strict, absolute])).toEqual(['amount_mismatch:break'])
    for (const when of [
      { currency: 'EUR' },
      { kind: 'refund' as const },
      { scope: 'mobile/POST /v1/payments' },
    ]) {
      expect(found(booked(1052n), [{ ...absolute, when }])).toEqual(['amount_mismatch:break'])
    }
    expect(found(booked(1052n), [{ ...absolute, when: { scope: '*/POST /v1/payments' } }])).toEqual([])
  })

  test('never across currencies, and for refunds as for charges', () => {
    const anyClass: Rule = { name: 'all', when: { kind: 'charge' }, percent: 100 }
    expect(found({ postings: [posting({ currency: 'EUR' })] }, [anyClass])).toEqual([
      'currency_mismatch:break',
    ])
    const refunded = {
      lives: [record(), record({ scope: 'r', key: 'rk1', effects: [effect('re_1', 'refund')], names: [] })],
      refunds: [refund()],
      postings: [
        posting(),
        posting({ entryId: '9', kind: 'refund', providerRef: 're_1', amountMinor: 501n }),
      ],
    }
    expect(found(refunded, [])).toEqual(['amount_mismatch:break'])
    expect(found(refunded, [{ name: 'r', when: { kind: 'refund' }, amountMinor: '1' }])).toEqual([])
  })

  test('time: what is not there yet breaks on its rule’s time', () => {
    const late = {
      charges: [charge({ createdAt: ago(60) })],
      lives: [record({ completedAt: ago(59) })],
      postings: [],
    }
    expect(found(late, [])).toEqual(['ledger_missing:break'])
    const nightly: Rule = { name: 'nightly', when: { class: ['ledger_missing'] }, breakOnMs: 86_400_000 }
    expect(found(late, [nightly])).toEqual(['ledger_missing:pending'])
  })

  test('time: instalments of one order, far apart, are no duplicates', () => {
    const twice = (seconds: number) => ({
      lives: [record(), record({ key: 'k2', effects: [effect('ch_2')], names: ['ch_2'] })],
      charges: [
        charge({ createdAt: ago(300 + seconds) }),
        charge({ id: 'ch_2', key: 'k2', paymentIntentId: 'pi_2', createdAt: ago(300) }),
      ],
      postings: [posting(), posting({ entryId: '2', providerRef: 'ch_2' })],
    })
    const rule: Rule = { name: 'monthly', when: { class: ['duplicate_semantic'] }, sameWithinMs: 600_000 }
    expect(found(twice(3_000), [])).toEqual(['duplicate_semantic:break'])
    expect(found(twice(3_000), [rule])).toEqual([])
    expect(found(twice(500), [rule])).toEqual(['duplicate_semantic:break'])
  })
})

test.each([
  [{ name: 'all', when: {}, amountMinor: '5' }, /without criteria/],
  [{ name: 'nothing', when: { currency: 'USD' } }, /tolerates something/],
  [{ name: 'half', when: { currency: 'USD' }, amountMinor: '0.5' }, /./],
  [{ name: 'more', when: { currency: 'USD' }, percent: 101 }, /./],
])('a rule with no criteria, or that says nothing, is rejected: %j', (rule, why) => {
  expect(() => rulesSchema.parse([rule])).toThrow(why)
})

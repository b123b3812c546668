import { expect, test } from 'vitest'
import { askedDay } from '@/app/(console)/reconciliation/reports/query'
import { readRule } from '@/app/(console)/reconciliation/rules/read-rule'
import { snoozeUntil } from '@/app/(console)/reconciliation/snooze-until'
import { criteriaText, toleranceTexts } from '@/lib/reconcile/rules/describe-rule'
import { rulesSchema } from '@/lib/reconcile/rules/rules'

const NOW = new Date('2026-11-22T02:00:00Z')

test('a form becomes a rule of what was filled in alone, and the rule says itself in words', () => {
  const given = readRule({
    name: ' rounding ',
    class: 'amount_mismatch',
    currency: 'jpy',
    kind: '',
    scope: '',
    amountMinor: '5',
    percent: '0.5',
    breakOn: '24',
    breakOnUnit: 'h',
    sameWithin: '',
    sameWithinUnit: 'min',
  })
  const [rule] = rulesSchema.parse([given])
  expect(rule).toEqual({
    name: 'rounding',
    when: { class: ['amount_mismatch'], currency: 'JPY' },
    amountMinor: '5',
    percent: 0.5,
    breakOnMs: 86_400_000,
  })
  if (rule === undefined) throw new Error('one rule was parsed')
  expect(criteriaText(rule)).toBe('Booked with another amount · JPY')
  expect(toleranceTexts(rule)).toEqual(['up to ¥5 apart', 'up to 0.5 % apart', 'may be missing for 1 d'])
})

test('an empty form is no rule', () => {
  expect(rulesSchema.safeParse([readRule({ name: 'all' })]).success).toBe(false)
})

test('a snooze is of some hours, or until a moment that was named', () => {
  expect(snoozeUntil({ hours: '4', until: '' }, NOW)).toEqual(new Date('2026-11-22T06:00:00Z'))
  expect(snoozeUntil({ hours: '4', until: '2026-11-24T09:30' }, NOW)).toEqual(
    new Date('2026-11-24T09:30:00Z'),
  )
  expect(() => snoozeUntil({ hours: '4', until: 'soon' }, NOW)).toThrow(/no moment/)
  expect(() => snoozeUntil({}, NOW)).toThrow()
})

test('a report is of the day that is asked for, else of today', () => {
  expect(askedDay('2026-11-01', NOW)).toBe('2026-11-01')
  for (const nonsense of [null, '', '2026-02-30', 'yesterday'])
    expect(askedDay(nonsense, NOW)).toBe('2026-11-22')
})

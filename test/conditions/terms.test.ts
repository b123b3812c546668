import { expect, test } from 'vitest'
import { termsAt, termsSchema } from '@/lib/conditions/terms'
import { CONDITION_KINDS, CONDITIONS } from '@/lib/core/condition-kinds'

const rules = (...list: unknown[]) => termsSchema.parse(list)

test.each(CONDITION_KINDS)('the terms of %s are within their own bounds', (kind) => {
  const limits = Object.entries(
    CONDITIONS[kind].limits as Record<string, { default: number; min: number; max: number }>,
  )
  for (const [name, { default: value, min, max }] of limits)
    expect(value >= min && value <= max, `${kind}.${name}`).toBe(true)
  expect(termsAt([], kind)).toEqual({
    severity: null,
    forMs: CONDITIONS[kind].forMs,
    limits: Object.fromEntries(limits.map(([name, limit]) => [name, limit.default])),
  })
})

test('the most specific rule decides, whatever their order; what it leaves open comes from the others', () => {
  const set = rules(
    { kind: 'store_errors', when: { service: 'web', endpoint: 'POST /pay' }, limits: { target: 0.5 } },
    { kind: 'store_errors', when: { service: 'web' }, severity: 'ticket', limits: { target: 0.1, fast: 10 } },
    { kind: 'store_errors', forMs: 60_000 },
    { kind: 'stuck_keys', when: { system: 'web' }, severity: 'off' },
  )
  expect(termsAt(set, 'store_errors', { service: 'web', endpoint: 'POST /pay' })).toEqual({
    severity: 'ticket',
    forMs: 60_000,
    limits: { target: 0.5, fast: 10, slow: 6, ticket: 1 },
  })
  expect(termsAt(set, 'store_errors', { service: 'other' })).toMatchObject({ severity: null, forMs: 60_000 })
  expect(termsAt(set, 'stuck_keys', { system: 'web' }).severity).toBe('off')
  expect(termsAt(set, 'stuck_keys').severity).toBeNull()
})

test.each([
  [{ kind: 'worker_dead', when: { system: 'payments' }, forMs: 1 }, 'of the whole console'],
  [
    { kind: 'stuck_keys', when: { endpoint: 'POST /pay' }, forMs: 1 },
    'told apart by system, not by endpoint',
  ],
  [
    { kind: 'stuck_keys', limits: { olderThan: 5 } },
    'there is no limit olderThan; it has olderThanMs, countMax',
  ],
  [{ kind: 'redeliveries', limits: { target: 7 } }, 'target is between 0 and 1 (share)'],
  [{ kind: 'stuck_keys' }, 'a rule changes something'],
  [{ kind: 'stuck_keys', forMs: -1 }, 'Too small'],
  [{ kind: 'nonsense', forMs: 1 }, 'Invalid option'],
  [{ kind: 'stuck_keys', forMs: 1, window: 5 }, 'Unrecognized key'],
])('what cannot be meant is refused with what to do: %j', (rule, why) => {
  expect(
    termsSchema
      .safeParse([rule])
      .error?.issues.map(({ message }) => message)
      .join('; '),
  ).toContain(why)
})

test('a place has one rule of a kind', () => {
  const twice = { kind: 'stuck_keys', forMs: 1 }
  expect(termsSchema.safeParse([twice, twice]).error?.issues[0]?.message).toBe(
    'one rule for each kind and place',
  )
})

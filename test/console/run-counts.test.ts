import { expect, test } from 'vitest'
import { bytesText } from '@/app/_ui/format-bytes'
import { filterOf } from '@/app/(console)/reconciliation/query'
import { csvText } from '@/lib/core/csv'
import { runTotals, systemResults } from '@/lib/reconcile/report/run-results'

const system = (name: string, given: object) => ({
  system: name,
  asOf: '2026-11-22T02:00:00Z',
  incomplete: false,
  failures: [],
  read: 10,
  compared: 8,
  matched: 5,
  pending: 1,
  breaks: 2,
  warnings: 1,
  byClass: {},
  atRisk: { EUR: '9007199254740993' },
  ...given,
})

test('gross, net and money of a run sum over its systems; currencies are never mixed', () => {
  const results = systemResults({
    a: system('a', {}),
    b: system('b', { atRisk: { EUR: '7', JPY: '1' } }),
    c: 'not a result',
  })
  expect(runTotals(results)).toEqual({
    gross: 16,
    matched: 10,
    pending: 2,
    breaks: 4,
    warnings: 2,
    net: 8,
    read: 20,
    atRisk: [
      { minor: '9007199254741000', currency: 'EUR' },
      { minor: '1', currency: 'JPY' },
    ],
  })
})

test('a bucket of age is from its bound to the next younger one', () => {
  const now = new Date('2026-11-22T12:00:00Z')
  const of = (age: '15m' | '1h' | 'older') =>
    filterOf({ show: 'open', class: null, severity: null, age, cursor: null }, now)
  expect(of('15m')).toMatchObject({ seenFrom: new Date('2026-11-22T11:45:00Z'), seenBefore: undefined })
  expect(of('1h')).toMatchObject({
    seenFrom: new Date('2026-11-22T11:00:00Z'),
    seenBefore: new Date('2026-11-22T11:45:00Z'),
  })
  expect(of('older')).toMatchObject({ seenFrom: undefined, seenBefore: new Date('2026-11-21T12:00:00Z') })
})

test('a CSV field cannot become a formula, nor break its line', () => {
  expect(
    csvText(
      ['a', 'b'],
      [
        ['=1+1', '+x'],
        ['-y', '@z'],
        ['a,"b"', 'c\nd'],
        [null, 5],
      ],
    ),
  ).toBe(`a,b\r\n'=1+1,'+x\r\n'-y,'@z\r\n"a,""b""","c\nd"\r\n,5\r\n`)
})

test('bytes are short, in powers of 1024', () => {
  expect([0, 1023, 1024, 1536, 5_368_709_120].map(bytesText)).toEqual([
    '0 B',
    '1023 B',
    '1.00 KiB',
    '1.50 KiB',
    '5.00 GiB',
  ])
})

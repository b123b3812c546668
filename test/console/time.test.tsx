import { NuqsTestingAdapter } from 'nuqs/adapters/testing'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { NowClock } from '@/app/_ui/now-clock'
import { Time } from '@/app/_ui/time'
import { ageText, agoText } from '@/lib/core/format-figure'

const MINUTE_MS = 60_000

test('an age is how long ago a moment was', () => {
  expect([ageText(4 * MINUTE_MS), agoText(4 * MINUTE_MS)]).toEqual(['4 min', '4 min ago'])
})

test('clocks that differ by a moment make no moment of the future', () => {
  expect([ageText(-5_000), agoText(-5_000)]).toEqual(['0 s', '0 s ago'])
})

test('a moment of the future is named as one', () => {
  const text = '10 min ahead of our clock'
  expect([ageText(-10 * MINUTE_MS), agoText(-10 * MINUTE_MS)]).toEqual([text, text])
  expect(agoText(-5_001)).toBe('5 s ahead of our clock')
})

const NOW = Date.parse('2026-11-22T12:00:00Z')
const shown = (kind: 'age' | 'ago' | 'brief ago', agoMs: number) =>
  renderToStaticMarkup(
    <NuqsTestingAdapter>
      <NowClock serverNow={NOW}>
        <Time at={new Date(NOW - agoMs).toISOString()} kind={kind} />
      </NowClock>
    </NuqsTestingAdapter>,
  ).replaceAll(/<[^>]+>/g, '')

test.each(['age', 'ago', 'brief ago'] as const)(
  'on the page a heartbeat of the future is named: %s',
  (kind) => {
    expect(shown(kind, -10 * MINUTE_MS)).toBe('10 min ahead of our clock')
  },
)

test('on the page a heartbeat of the past has its age', () => {
  expect(shown('age', 4 * MINUTE_MS)).toBe('4 min')
  expect(shown('ago', 4 * MINUTE_MS)).toBe('4 min ago')
  expect(shown('brief ago', 4 * MINUTE_MS)).toBe('4 min ago')
})

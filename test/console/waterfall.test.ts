import { expect, test } from 'vitest'
import { packRows, unpackRows } from '@/app/_ui/charts/packed-rows'
import type { TraceSpan } from '@/lib/telemetry/read/traces/trace'
import { buildWaterfall } from '@/lib/telemetry/read/traces/waterfall'

const START = Date.parse('2026-11-22T02:43:10Z')

const span = (
  spanId: string,
  parentSpanId: string | null,
  atMs: number,
  tookMs: number,
  kind = 2,
): TraceSpan => ({
  spanId,
  parentSpanId,
  name: `span ${spanId}`,
  kind,
  statusCode: 0,
  statusMessage: null,
  service: 'payments',
  version: '1',
  instance: 'i',
  startTime: new Date(START + atMs),
  endTime: new Date(START + atMs + tookMs),
  durationNs: String(tookMs * 1e6),
  attributes: {},
  events: null,
  links: null,
})

test('children stand under their parent, in order of time', () => {
  const found = buildWaterfall([
    span('a', null, 0, 100),
    span('b', 'a', 10, 20),
    span('d', 'a', 50, 20),
    span('c', 'b', 12, 5),
  ])
  expect(found?.rows.map(({ key, depth }) => [key, depth])).toEqual([
    ['a', 0],
    ['b', 1],
    ['c', 2],
    ['d', 1],
  ])
  expect(found?.totalMs).toBe(100)
})

test('a span whose parent did not come is a root; a circle is shown and ends', () => {
  const found = buildWaterfall([span('a', 'gone', 0, 10), span('x', 'y', 1, 1), span('y', 'x', 2, 1)])
  expect(found?.rows.map(({ key }) => key).sort()).toEqual(['a', 'x', 'y'])
})

test('the two sides of a call that share an id are both shown, the called one under its caller', () => {
  const found = buildWaterfall([
    span('a', null, 0, 100),
    span('b', 'a', 10, 50, 3),
    span('b', 'a', 10, 40, 2),
    span('c', 'b', 20, 5),
    span('b', 'a', 70, 5, 3),
  ])
  expect(found?.rows.map(({ key, depth }) => [key, depth])).toEqual([
    ['a', 0],
    ['b', 1],
    ['b-1', 2],
    ['c', 3],
    ['b-2', 1],
  ])
})

test('a chain of 10,000 spans is laid out without recursion, quickly', () => {
  const chain = Array.from({ length: 10_000 }, (_, n) => span(`s${n}`, n === 0 ? null : `s${n - 1}`, n, 1))
  const found = buildWaterfall(chain)
  expect(found?.rows).toHaveLength(10_000)
  expect(found?.rows.at(-1)?.depth).toBe(9_999)
})

test('no span is no waterfall', () => {
  expect(buildWaterfall([])).toBeNull()
})

test('rows are the same after they were packed for the way to the browser', () => {
  const rows = buildWaterfall([span('a', null, 0, 30), span('b', 'a', 5, 10)])?.rows ?? []
  expect(rows).toHaveLength(2)
  expect(unpackRows(packRows(rows), 0, 10)).toEqual(rows)
  expect(unpackRows(packRows(rows), 1, 2)).toEqual(rows.slice(1))
})

import { expect, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { countTraces } from '@/lib/telemetry/read/traces/count-traces'
import { listTraces } from '@/lib/telemetry/read/traces/list-traces'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase } from '../support/database'
import { requestSpan, store } from './spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const now = clock.now()
const window = { from: new Date(now.getTime() - 600_000), to: now }

test('held requests are an outcome of their own: no error, no duplicate, and they burn no budget', async () => {
  const { db, close } = await createTestDatabase()
  try {
    await ensurePartitions(db, clock)
    const request = (n: number, key: string, outcome: string, durationMs: number, statusCode: number) => {
      const sent = requestSpan({
        traceId: n.toString(16).padStart(32, '0'),
        spanId: n.toString(16).padStart(16, '0'),
        at: new Date(now.getTime() - 300_000 + n * 1000),
        durationMs,
        key,
        outcome,
      })
      sent.attributes['http.response.status_code'] = statusCode
      sent.attributes['idempotency.store.operations'] = 1
      return sent
    }
    await store(db, clock, [
      request(1, 'a', 'held', 500, 503),
      request(2, 'a', 'held', 500, 503),
      request(3, 'a', 'executed', 10, 201),
      request(4, 'b', 'executed', 20, 201),
      request(5, 'b', 'store_error', 1, 503),
      request(6, 'b', 'replayed', 1, 201),
    ])
    await rollUpDirtyMinutes(db, clock, { limit: 100 })

    const measures = await readMeasures(db, window, now)
    const of = (id: string) => measures.find((measure) => measure.id === id)
    expect(of('M1')).toMatchObject({ numerator: 1, denominator: 3, detail: { keyedRequests: 6 } })
    expect(of('M1')?.detail.byOutcome).toMatchObject({ held: 2 })
    expect(of('M3')).toMatchObject({ numerator: 0, denominator: 6 })

    const { buckets } = await readOutcomeSeries(db, window, now)
    const sum = (column: 'held' | 'other') => buckets.reduce((total, bucket) => total + bucket[column], 0)
    expect([sum('held'), sum('other')]).toEqual([2, 1])
    expect(await countTraces(db, { ...window, bar: 'held' })).toBe(2)

    // The store's error first; the slow held ones are no failure and stand among the others.
    const worst = await listTraces(db, window, 'worst', { limit: 10 })
    expect(worst.items.map(({ outcome, failed }) => [outcome, failed])).toEqual([
      ['store_error', true],
      ['held', false],
      ['held', false],
      ['executed', false],
      ['executed', false],
      ['replayed', false],
    ])
    expect(await countTraces(db, { ...window, failedOnly: true })).toBe(1)
    const { rows } = await db.pool.query<{ duplicates: number }>(
      "SELECT count(*)::int AS duplicates FROM telemetry.keyed_request WHERE outcome = 'held' AND duplicate",
    )
    expect(rows).toEqual([{ duplicates: 0 }])
  } finally {
    await close()
  }
})

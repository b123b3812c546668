import { expect, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { countTraces } from '@/lib/telemetry/read/traces/count-traces'
import { listTraces, OUTCOME_BARS } from '@/lib/telemetry/read/traces/list-traces'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { createTestDatabase } from '../support/database'
import { generateTraffic } from './model'
import { store } from './spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const SPAN_MS = 10 * 60_000

test('the list behind each column of each bar has as many requests as the bar counts', async () => {
  const { db, close } = await createTestDatabase()
  try {
    await ensurePartitions(db, clock)
    const from = new Date(clock.now().getTime() - SPAN_MS)
    const events = generateTraffic(11, from.getTime(), SPAN_MS, 400)
    await store(
      db,
      clock,
      events.map(({ span }) => span),
    )
    await rollUpDirtyMinutes(db, clock, { limit: 1000 })
    const { buckets, bucketSeconds } = await readOutcomeSeries(db, { from, to: clock.now() }, clock.now())
    const sums: Record<string, number> = {}
    for (const bucket of buckets) {
      const window = { from: bucket.at, to: new Date(bucket.at.getTime() + bucketSeconds * 1000) }
      const charted = { ...bucket, again: bucket.executedAgain }
      for (const bar of OUTCOME_BARS) {
        expect(await countTraces(db, { ...window, bar }), `${bar} at ${bucket.at.toISOString()}`).toBe(
          charted[bar],
        )
        sums[bar] = (sums[bar] ?? 0) + charted[bar]
      }
      const all = await listTraces(db, window, 'newest', { limit: 200 })
      expect(all.items).toHaveLength(await countTraces(db, window))
    }
    // The traffic of the model fills every column: else this says nothing.
    for (const bar of OUTCOME_BARS) expect(sums[bar], bar).toBeGreaterThan(0)
  } finally {
    await close()
  }
})

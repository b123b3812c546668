import { expect, it } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { detectOrphans } from '@/lib/telemetry/ingest/keys/detect-orphans'
import type { Measure } from '@/lib/telemetry/measures/measure'
import { readMeasures } from '@/lib/telemetry/measures/measures'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { recordStoreSample } from '@/lib/telemetry/record-store-sample'
import { createTestDatabase } from '../support/database'
import { type Event, generateTraffic } from './model'
import { Random } from './random'
import { store } from './spans'

const clock = manualClock('2026-11-22T12:00:00Z')
const nowMs = clock.now().getTime()
const SPAN_MS = 15 * 60_000
const GRACE_MS = 4 * 60_000
const DAY_MS = 86_400_000

/** Committed effects, old enough, whose key has no terminal record that lived at their time: event by event. */
function expectOrphans(events: readonly Event[], foundMs: number): number {
  const livesUntil = new Map<string, number>()
  for (const event of events)
    if (event.type === 'request' && event.expiresMs !== null)
      livesUntil.set(event.scopedKey, Math.max(livesUntil.get(event.scopedKey) ?? 0, event.expiresMs))
  const effects = new Map<string, { scopedKey: string; atMs: number; committed: boolean }>()
  for (const event of events) {
    if (event.type !== 'effect') continue
    const id = `${event.scopedKey} ${event.step} ${event.effectId}`
    const known = effects.get(id)
    effects.set(id, {
      scopedKey: event.scopedKey,
      atMs: Math.min(event.atMs, known?.atMs ?? event.atMs),
      committed: event.outcome === 'committed' || (known?.committed ?? false),
    })
  }
  return [...effects.values()].filter(
    ({ scopedKey, atMs, committed }) =>
      committed && atMs <= foundMs - GRACE_MS && (livesUntil.get(scopedKey) ?? 0) < atMs,
  ).length
}

const byId = (measures: readonly Measure[], id: string) => measures.find((measure) => measure.id === id)

it.each([1, 2, 3, 4])(
  'M6, seed %i: resent, reordered, found between arrivals, late ones resolve',
  async (seed) => {
    const database = await createTestDatabase()
    try {
      const { db } = database
      await ensurePartitions(db, clock)
      const random = new Random(seed * 7)
      const events = generateTraffic(seed, nowMs - SPAN_MS, SPAN_MS, 240)
      const found = manualClock(new Date(nowMs + 600_000).toISOString())
      const window = { from: clock.now(), to: new Date(nowMs + 700_000) }
      const sent = random.shuffle([...events, ...events.filter(() => random.chance(0.2))])
      while (sent.length > 0) {
        const batch = sent.splice(0, 1 + random.below(120)).map((event) => event.span)
        await store(db, clock, batch)
        // What a late span proves to have had its record all along was no orphan.
        await detectOrphans(db, found, { graceMs: GRACE_MS })
      }
      const expected = expectOrphans(events, found.now().getTime())
      expect(expected).toBeGreaterThan(0)
      const measure = byId(await readMeasures(db, window, found.now()), 'M6')
      expect(measure).toMatchObject({
        value: expected,
        numerator: expected,
        state: 'breach',
        detail: { open: expected },
      })
      expect(await detectOrphans(db, found, { graceMs: GRACE_MS })).toBe(0)
    } finally {
      await database.close()
    }
  },
)

it.each([1, 2, 3])(
  'M9, seed %i: net growth of every tier, from its first to its last sample',
  async (seed) => {
    const database = await createTestDatabase()
    try {
      const random = new Random(seed)
      const window = { from: new Date(nowMs - DAY_MS), to: clock.now() }
      let rowsPerDay = 0
      let bytesPerDay = 0
      let backlog = 0n
      for (const tier of ['default', 'long', 'payments']) {
        const count = 2 + random.below(5)
        const samples = Array.from({ length: count }, () => ({
          sourceId: `src_${random.below(2)}`,
          tier,
          at: new Date(nowMs - 1 - random.below(DAY_MS)),
          rows: BigInt(random.below(1_000_000)) * 10_000_000_000n,
          bytes: BigInt(random.below(1_000_000)),
          expiredRows: BigInt(random.below(1_000)),
          oldestAt: null,
          oldestExpiredAt: null,
        }))
        for (const sample of random.shuffle([...samples, ...samples]))
          await recordStoreSample(database.db, sample)
        for (const sourceId of ['src_0', 'src_1']) {
          const ordered = samples
            .filter((each) => each.sourceId === sourceId)
            .sort((left, right) => left.at.getTime() - right.at.getTime())
          const [first, last] = [ordered[0], ordered.at(-1)]
          if (first === undefined || last === undefined) continue
          backlog += last.expiredRows
          const days = (last.at.getTime() - first.at.getTime()) / DAY_MS
          if (days === 0) continue
          rowsPerDay += Number(last.rows - first.rows) / days
          bytesPerDay += Number(last.bytes - first.bytes) / days
        }
      }
      const measure = byId(await readMeasures(database.db, window, clock.now()), 'M9')
      expect(measure?.value).toBeCloseTo(rowsPerDay, -6)
      expect(measure?.detail.bytesPerDay).toBeCloseTo(bytesPerDay, 3)
      expect(measure?.detail.expiredBacklog).toBe(Number(backlog))
    } finally {
      await database.close()
    }
  },
)

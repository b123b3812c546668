import { afterAll, beforeAll, expect, it } from 'vitest'
import { GET as metrics } from '@/app/metrics/route'
import { systemClock } from '@/lib/core/clock'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { readOutcomeSeries } from '@/lib/telemetry/read/requests/outcome-series'
import { readRateSeries } from '@/lib/telemetry/read/requests/rate-series'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { bearer, type Console, createConsole, get, ORIGIN } from '../api/console-fixture'
import { effectSpan, requestSpan, store } from './spans'

let console: Console
beforeAll(async () => {
  console = await createConsole()
  await ensurePartitions(console.db, systemClock)
})
afterAll(() => console.close())

type Figures = { id: string; value: number; numerator: number | null; denominator: number | null }

it('the API, the charts of the pages and /metrics say the same', async () => {
  const { db } = console
  const nowMs = systemClock.now().getTime()
  const at = new Date(nowMs - 120_000)
  const id = (index: number, bytes: number) => (index + 1).toString(16).padStart(bytes * 2, '0')
  const requests = Array.from({ length: 200 }, (_, index) =>
    requestSpan({
      traceId: id(index, 16),
      spanId: id(index, 8),
      at,
      durationMs: 10 + index,
      key: `k${index % 190}`,
      outcome: index < 190 ? 'executed' : 'replayed',
      state: 'completed',
      storeErrors: index % 50 === 0 ? 1 : 0,
    }),
  )
  const effects = Array.from({ length: 100 }, (_, index) =>
    effectSpan({
      traceId: id(index, 16),
      spanId: id(1_000 + index, 8),
      at,
      key: `k${index % 98}`,
      effectId: `ch_${index}`,
    }),
  )
  await store(db, systemClock, [...requests, ...effects])
  await rollUpDirtyMinutes(db, systemClock, { limit: 100 })

  // As if this process had started with the window: its counters count what the window holds.
  console.app.startedAt = new Date(nowMs - 300_000)
  const text = await (
    await metrics(new Request(`${ORIGIN}/metrics`, { headers: bearer(console.tokens.viewer) }))
  ).text()
  const sample = (name: string) => {
    const found = new RegExp(`^idemscope_${name} (\\S+)$`, 'm').exec(text)
    return found === null ? null : Number(found[1])
  }
  const window = { from: new Date(nowMs - 300_000), to: new Date(nowMs) }
  const query = `from=${window.from.toISOString()}&to=${window.to.toISOString()}`
  const { body } = await get(`measures?${query}`, bearer(console.tokens.viewer))
  const figures = new Map<string, Figures>(body.items.map((each: Figures) => [each.id, each]))
  expect(figures.get('M1')).toMatchObject({ numerator: 10, denominator: 200 })
  expect(figures.get('M2')).toMatchObject({ numerator: 2, denominator: 100 })
  expect(figures.get('M3')).toMatchObject({ numerator: 4, denominator: 400 })
  const exposed = {
    M1: ['duplicate_request_ratio', 'duplicate_requests_total', 'keyed_requests_total'],
    M2: ['duplicate_effect_ratio', 'duplicate_effects_total', 'effects_total'],
    M3: ['store_error_ratio', 'store_errors_total', 'store_operations_total'],
    M4: ['intent_to_final_p95_seconds', 'no_numerator', 'keys_finished_total'],
  }
  for (const [measure, names] of Object.entries(exposed)) {
    const { value = null, numerator, denominator } = figures.get(measure) ?? {}
    const base = measure === 'M4' && value !== null ? value / 1000 : value
    expect(names.map(sample), measure).toEqual([base, numerator, denominator])
  }
  for (const measure of ['M1', 'M2', 'M3'] as const) {
    const { points } = await readRateSeries(db, { ...window, measure })
    const sum = (pick: 'numerator' | 'denominator') =>
      points.reduce((total, point) => total + Number(point[pick]), 0)
    expect([sum('numerator'), sum('denominator')], measure).toEqual([
      figures.get(measure)?.numerator,
      figures.get(measure)?.denominator,
    ])
  }
  const { buckets } = await readOutcomeSeries(db, window, new Date(nowMs))
  expect(buckets.reduce((total, { replayed }) => total + replayed, 0)).toBe(figures.get('M1')?.numerator)
})

import { afterAll, beforeAll, expect, it } from 'vitest'
import { readCounters } from '@/app/_server/metrics/counters'
import { systemClock } from '@/lib/core/clock'
import { ensurePartitions } from '@/lib/telemetry/partitions'
import { rollUpDirtyMinutes } from '@/lib/telemetry/rollup/roll-up'
import { type Console, createConsole } from '../api/console-fixture'
import { effectSpan, store } from './spans'

let console: Console
beforeAll(async () => {
  console = await createConsole()
  await ensurePartitions(console.db, systemClock)
})
afterAll(() => console.close())

const HOUR_MS = 3_600_000
const nowMs = systemClock.now().getTime()
let next = 1

async function makeEffects(count: number, hoursAgo: number): Promise<void> {
  const spans = Array.from({ length: count }, () => {
    const id = next++
    return effectSpan({
      traceId: id.toString(16).padStart(32, '0'),
      spanId: id.toString(16).padStart(16, '0'),
      at: new Date(nowMs - hoursAgo * HOUR_MS - 60_000),
      key: `k${id}`,
      effectId: `ch_${id}`,
    })
  })
  await store(console.db, systemClock, spans)
  await rollUpDirtyMinutes(console.db, systemClock, { limit: 1_000 })
}

async function countEffects(atMs = nowMs, app = console.app): Promise<number | undefined> {
  const families = await readCounters(app, new Date(atMs))
  return families.find(({ name }) => name === 'idemscope_effects_total')?.samples[0]?.value
}

it('counters go on over days, count nothing twice, and never fall', async () => {
  console.app.startedAt = new Date(nowMs - 60 * HOUR_MS)
  expect(await countEffects()).toBeUndefined()
  // More than a day late: not added.
  await makeEffects(3, 40)
  await makeEffects(4, 12)
  expect(await Promise.all([countEffects(), countEffects()])).toEqual([4, 4])
  await makeEffects(5, 1)
  expect(await countEffects()).toBe(9)
  // Two days on the days before are carried, not read again.
  expect(await countEffects(nowMs + 30 * HOUR_MS)).toBe(9)
  expect(await countEffects(nowMs + 60 * HOUR_MS)).toBe(9)

  const other = { ...console.app, startedAt: new Date(nowMs - 20 * HOUR_MS) }
  expect(await countEffects(nowMs, other)).toBe(9)
  for (const step of ['minute', 'hour', 'day'])
    await console.db.pool.query(`DELETE FROM telemetry.${step}_effect`)
  expect(await countEffects(nowMs, other)).toBe(9)
  const restarted = { ...console.app, startedAt: new Date(nowMs - 20 * HOUR_MS) }
  expect(await countEffects(nowMs, restarted)).toBeUndefined()
})

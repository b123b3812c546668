import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { histories } from '../../support/whole-or-sample'
import type { Harness } from './harness'
import { createRandom, History, TURNS } from './history'

const SAMPLE = 240
/** Of an emulator on a machine that others share; nobody waits for it but the deep tests. */
const HISTORY_MS_MAX = 2_000
const PARALLEL = 8
const PROCESSES = 3
const SEED = 20_261_122

/**
 * Random histories of a key, with zombies, releases and a clock that jumps: no effect happens twice. An engine whose
 * emulator is slow is given a smaller sample in `npm test`.
 */
export function describeHistories(name: string, openHarness: () => Promise<Harness>, sample = SAMPLE): void {
  const count = histories(sample)
  describe(name, () => {
    let harness: Harness
    beforeAll(async () => {
      harness = await openHarness()
    })
    afterAll(() => harness?.close())

    it(`finds no second effect of one step in ${count} random histories`, {
      timeout: count * HISTORY_MS_MAX + 600_000,
    }, async () => {
      const startedMs = performance.now()
      const stores = await Promise.all(Array.from({ length: PROCESSES }, () => harness.openStore()))
      const totals = { turns: 0, completions: 0, takeovers: 0, unknown: 0, stale: 0, effects: 0 }
      let next = 0
      const worker = async () => {
        while (next < count) {
          const seed = next++
          const history = new History(harness, stores, `history-${seed}`, createRandom(SEED + seed))
          await history.run()
          const { world, trace } = history
          totals.turns += TURNS
          totals.effects += world.effects.size
          totals.completions += world.completions.size
          totals.takeovers += trace.filter((line) => line.endsWith('takeover')).length
          totals.unknown += trace.filter((line) => line.endsWith('unknown')).length
          totals.stale += trace.filter((line) => /stale|false$/.test(line)).length
        }
      }
      await Promise.all(Array.from({ length: PARALLEL }, worker))
      console.log(
        `histories on ${name}: ${count} at seed ${SEED} in ${((performance.now() - startedMs) / 1000).toFixed(1)} s`,
        totals,
      )
      // The histories must have been where it hurts.
      for (const total of Object.values(totals)) expect(total).toBeGreaterThan(count / 4)
    })
  })
}

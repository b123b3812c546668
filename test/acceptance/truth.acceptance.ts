import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { apiClient } from '../support/api'
import { type RunningDemo, startDemo } from '../support/demo'
import { expected, reported, untilAnotherRun, untilQuiet, untilTrafficEnded } from './verdicts'

/** Recall and precision 1.0: every fault of the truth file in its class, and nothing else. */
describe.each(['1', '7', '42'])('seed %s', (seed) => {
  let demo: RunningDemo

  beforeAll(async () => {
    demo = await startDemo({ seed, durationS: 60 })
  })
  afterAll(() => demo?.stop())

  test('every fault in its class, and nothing else', async () => {
    const api = apiClient(demo.url, { token: await demo.token('viewer') })
    await untilTrafficEnded(demo, 150)
    const quietAfterS = await untilQuiet(demo, api)
    await untilAnotherRun(api)

    const truth = demo.truth()
    console.log(
      `seed ${seed}: ready after ${demo.readyAfterS.toFixed(0)} s, ${truth.length} faults of ${new Set(truth.map((t) => t.fault)).size} kinds, quiet after ${quietAfterS.toFixed(0)} s`,
    )
    expect(await reported(api)).toEqual(expected(truth))

    const kinds = [...new Set(truth.map(({ fault }) => fault))]
    expect(kinds).toHaveLength(15)
    for (const kind of kinds)
      expect(truth.filter(({ fault }) => fault === kind).length, kind).toBeGreaterThanOrEqual(3)
  })
})

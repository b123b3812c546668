import { afterAll, beforeAll, describe, test } from 'vitest'
import { apiClient } from '../support/api'
import { type RunningDemo, startDemo } from '../support/demo'
import { expectTruth } from './verdicts'

/**
 * Recall and precision 1.0, here and in verbs.acceptance.ts, which then acts on its faults. Other seeds: `SEEDS=7,11`.
 */
describe.each((process.env.SEEDS ?? '1').split(','))('seed %s', (seed) => {
  let demo: RunningDemo

  beforeAll(async () => {
    demo = await startDemo({ seed, durationS: 60 })
  })
  afterAll(() => demo?.stop())

  test('every fault in its class, and nothing else', async () => {
    await expectTruth(demo, apiClient(demo.url, { token: await demo.token('viewer') }))
  })
})

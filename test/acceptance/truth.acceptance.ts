import { afterAll, beforeAll, describe, test } from 'vitest'
import { apiClient } from '../support/api'
import { type RunningDemo, startDemo } from '../support/demo'
import { expectTruth } from './verdicts'

/**
 * Recall and precision 1.0 at any seeds: `SEEDS=1,7 npx vitest run --config vitest.acceptance.config.ts truth`. The suite
 * itself has one seed, in verbs.acceptance.ts, which then acts on its faults.
 */
const { SEEDS } = process.env
describe.skipIf(SEEDS === undefined).each(SEEDS?.split(',') ?? ['1'])('seed %s', (seed) => {
  let demo: RunningDemo

  beforeAll(async () => {
    demo = await startDemo({ seed, durationS: 60 })
  })
  afterAll(() => demo?.stop())

  test('every fault in its class, and nothing else', async () => {
    await expectTruth(demo, apiClient(demo.url, { token: await demo.token('viewer') }))
  })
})

import { ensurePrograms } from './support/prerequisites'
import { bin, runSteps, type Step, vitest } from './support/run-steps'

// `npm test`: everything but the depth of `npm run test:deep`. A word runs the steps that have it in their name.

const STEPS: Step[] = [
  { name: 'lint and format', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: [bin('tsc'), '--noEmit'] },
  { name: 'dead code', command: [bin('knip')] },
  vitest('unit and integration', 'vitest.config.ts'),
  { name: 'build', command: [process.execPath, '--import', 'tsx', 'jobs/supervisor/build.ts'] },
  vitest('acceptance', 'vitest.acceptance.config.ts'),
  { name: 'end to end', command: [bin('playwright'), 'test'], report: '.test/playwright.json' },
]

const only = process.argv.slice(2)
const steps = only.length === 0 ? STEPS : STEPS.filter(({ name }) => only.some((word) => name.includes(word)))
await ensurePrograms()
await runSteps(steps, { minutes: 15, of: '`npm test`' })

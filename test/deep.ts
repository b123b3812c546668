import { runSteps, type Step, vitest } from './support/run-steps'

// `npm run test:deep`: the tests of which `npm test` runs a sample, and the simulation, which takes the arguments. `--seeds`
// is how many random histories each of them plays. With --from or `mutations` the simulation alone: somebody looks at one
// history, or at the guards.

const words = process.argv.slice(2)
const simulation: Step = {
  name: 'simulation',
  command: [process.execPath, '--import', 'tsx', 'test/simulation/main.ts', ...words],
}
const seeds = words[words.indexOf('--seeds') + 1]
if (words.includes('--seeds')) process.env.DEEP_HISTORIES = seeds
const alone = words.includes('mutations') || words.includes('--from')
const steps = alone ? [simulation] : [vitest('whole matrices', 'vitest.deep.config.ts'), simulation]
await runSteps(steps, { minutes: 20, of: '`npm run test:deep -- --seeds 1000`' })

import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { ensureInstalled, ensurePrograms } from './support/prerequisites'

// `npm test`: everything, one after the other (two cores), ending with one line: N passed, N failed.

const REPORTS = '.test'
const bin = (name: string) => `node_modules/.bin/${name}`

type Step = { name: string; command: string[]; report?: string }

const STEPS: Step[] = [
  { name: 'lint and format', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'types', command: [bin('tsc'), '--noEmit'] },
  { name: 'dead code', command: [bin('knip')] },
  vitest('unit and integration', 'vitest.config.ts'),
  { name: 'build', command: [process.execPath, '--import', 'tsx', 'jobs/supervisor/build.ts'] },
  vitest('acceptance', 'vitest.acceptance.config.ts'),
  { name: 'end to end', command: [bin('playwright'), 'test'], report: `${REPORTS}/playwright.json` },
]

function vitest(name: string, config: string): Step {
  const report = `${REPORTS}/${config}.json`
  return {
    name,
    command: [
      bin('vitest'),
      'run',
      '--config',
      config,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ],
    report,
  }
}

type Counts = { passed: number; failed: number }

function run({ name, command, report }: Step): Counts {
  console.log(`\n── ${name}`)
  if (report) rmSync(report, { force: true })
  const startedAt = performance.now()
  const [program = '', ...args] = command
  const { status } = spawnSync(program, args, {
    stdio: 'inherit',
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
  })
  const counts = report ? readCounts(report) : { passed: 0, failed: 0 }
  if (!report || counts === undefined)
    return status === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }
  console.log(`── ${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  // A runner that fails without a failed test (an unhandled error, nothing found) is a failure all the same.
  return status !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts
}

function readCounts(path: string): Counts | undefined {
  if (!existsSync(path)) return undefined
  const report = JSON.parse(readFileSync(path, 'utf8'))
  return 'stats' in report
    ? { passed: report.stats.expected + report.stats.flaky, failed: report.stats.unexpected }
    : { passed: report.numPassedTests, failed: report.numFailedTests }
}

mkdirSync(REPORTS, { recursive: true })
ensureInstalled()
ensurePrograms()
const only = process.argv.slice(2)
const steps = only.length === 0 ? STEPS : STEPS.filter(({ name }) => only.some((word) => name.includes(word)))
const total = steps
  .map(run)
  .reduce((sum, counts) => ({ passed: sum.passed + counts.passed, failed: sum.failed + counts.failed }))
console.log(`\n${total.passed} passed, ${total.failed} failed`)
process.exit(total.failed === 0 ? 0 : 1)

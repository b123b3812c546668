import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { relative } from 'node:path'
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

type Failure = { test: string; message: string }
/** `secondTries`: tests that were red first. */
type Outcome = { passed: number; failures: Failure[]; secondTries: string[] }

async function run({ name, command, report }: Step): Promise<Outcome> {
  console.log(`\n── ${name}`)
  if (report) rmSync(report, { force: true })
  const startedAt = performance.now()
  const status = await runStep(command)
  const outcome = report && existsSync(report) ? readReport(report) : undefined
  if (outcome) console.log(`── ${name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`)
  if (status === 0) return outcome ?? { passed: 1, failures: [], secondTries: [] }
  // A runner that fails without a failed test (an unhandled error, nothing found) is a failure all the same.
  const failures = outcome?.failures.length
    ? outcome.failures
    : [{ test: name, message: `ended with ${status}` }]
  return { passed: outcome?.passed ?? 0, failures, secondTries: outcome?.secondTries ?? [] }
}

/** The step that goes on, in a process group of its own: a signal reaches all of it, once, and is waited for. */
let running: ChildProcess | undefined

function runStep([program = '', ...args]: string[]): Promise<number | null> {
  const child = spawn(program, args, {
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
    env: { ...process.env, NEXT_TELEMETRY_DISABLED: '1' },
  })
  running = child
  return new Promise((done, fail) => {
    child.once('error', fail)
    child.once('exit', done)
  })
}

let interrupted = false
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (interrupted) return
    interrupted = true
    if (running?.pid !== undefined) signalGroup(running.pid, signal)
    void groupHasEnded(running?.pid).then(() => process.exit(128 + constants.signals[signal]))
  })
}

function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-pid, signal)
  } catch {
    // All of it has ended.
    return false
  }
}

/** A demo that a test has started takes some seconds; what nobody has reaped is not waited for without end. */
async function groupHasEnded(pid: number | undefined): Promise<void> {
  const deadline = performance.now() + 20_000
  while (pid !== undefined && signalGroup(pid, 0) && performance.now() < deadline)
    await new Promise((done) => setTimeout(done, 100))
}

function readReport(path: string): Outcome {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  return 'stats' in report
    ? {
        passed: report.stats.expected + report.stats.flaky,
        failures: playwrightFailures(report.suites, report.errors),
        secondTries: specsOf(report.suites)
          .filter(({ tests }) => tests.some(({ status }) => status === 'flaky'))
          .map(titleOf),
      }
    : { passed: report.numPassedTests, failures: vitestFailures(report.testResults), secondTries: [] }
}

type VitestFile = {
  name: string
  status: string
  message: string
  assertionResults: { status: string; fullName: string; failureMessages: string[] }[]
}

function vitestFailures(files: VitestFile[]): Failure[] {
  return files.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name)
    const failed = assertionResults.filter((test) => test.status === 'failed')
    // A file can fail outside its tests: it does not load, or what it sets up fails.
    if (failed.length === 0 && status === 'failed') return [{ test: file, message }]
    return failed.map((test) => ({
      test: `${file} › ${test.fullName}`,
      message: test.failureMessages.join('\n'),
    }))
  })
}

type PlaywrightSpec = {
  file: string
  title: string
  ok: boolean
  tests: { status: string; results: { error?: { message?: string } }[] }[]
}
type PlaywrightSuite = { suites?: PlaywrightSuite[]; specs?: PlaywrightSpec[] }

const specsOf = (suites: PlaywrightSuite[]): PlaywrightSpec[] =>
  suites.flatMap(({ suites: inner = [], specs = [] }) => [...specs, ...specsOf(inner)])
const titleOf = ({ file, title }: PlaywrightSpec): string => `${file} › ${title}`

function playwrightFailures(suites: PlaywrightSuite[], errors: { message?: string }[]): Failure[] {
  const failed = specsOf(suites).filter(({ ok }) => !ok)
  return [
    ...failed.map((spec) => ({
      test: titleOf(spec),
      message: spec.tests.at(-1)?.results.at(-1)?.error?.message ?? '',
    })),
    ...errors.map(({ message = '' }) => ({ test: 'end to end', message })),
  ]
}

/** What failed comes last, where whoever reads only the end of the log finds it. */
function printFailures(failures: Failure[]) {
  for (const { test, message } of failures)
    console.log(`\n✗ ${test}\n${message.split('\n').slice(0, 12).join('\n').slice(0, 1500)}`)
}

mkdirSync(REPORTS, { recursive: true })
ensureInstalled()
ensurePrograms()
const only = process.argv.slice(2)
const steps = only.length === 0 ? STEPS : STEPS.filter(({ name }) => only.some((word) => name.includes(word)))
const outcomes: Outcome[] = []
for (const step of steps) outcomes.push(await run(step))
const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)
const failures = outcomes.flatMap((outcome) => outcome.failures)
for (const test of outcomes.flatMap(({ secondTries }) => secondTries))
  console.log(`\nneeded a second try: ${test}`)
printFailures(failures)
console.log(`\n${passed} passed, ${failures.length} failed`)
process.exit(failures.length === 0 ? 0 : 1)

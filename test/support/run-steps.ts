import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { constants } from 'node:os'
import { relative } from 'node:path'
import { ensureInstalled } from './prerequisites'

const REPORTS = '.test'

export type Step = { name: string; command: string[]; report?: string }
type Budget = { minutes: number; of: string }

/**
 * Runs the steps one after the other (two cores), prints what failed and the minutes of each step, and ends the process
 * with one line: N passed, N failed.
 */
export async function runSteps(steps: readonly Step[], budget: Budget): Promise<never> {
  mkdirSync(REPORTS, { recursive: true })
  ensureInstalled()
  const outcomes: Outcome[] = []
  for (const step of steps) outcomes.push(await run(step))
  const passed = outcomes.reduce((sum, outcome) => sum + outcome.passed, 0)
  const failures = outcomes.flatMap((outcome) => outcome.failures)
  printFailures(failures)
  printMinutes(outcomes, budget)
  console.log(`\n${passed} passed, ${failures.length} failed`)
  process.exit(failures.length === 0 ? 0 : 1)
}

export const bin = (name: string) => `node_modules/.bin/${name}`

export function vitest(name: string, config: string): Step {
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
type Report = { passed: number; failures: Failure[] }
type Outcome = Report & { step: string; minutes: number }

async function run({ name, command, report }: Step): Promise<Outcome> {
  console.log(`\n── ${name}`)
  if (report) rmSync(report, { force: true })
  const startedAt = performance.now()
  const status = await runStep(command)
  const timed = { step: name, minutes: (performance.now() - startedAt) / 60_000 }
  const outcome = report && existsSync(report) ? readReport(report) : undefined
  if (status === 0) return { ...timed, ...(outcome ?? { passed: 1, failures: [] }) }
  // A runner that fails without a failed test (an unhandled error, nothing found) is a failure all the same.
  const failures = outcome?.failures.length
    ? outcome.failures
    : [{ test: name, message: `ended with ${status}` }]
  return { ...timed, passed: outcome?.passed ?? 0, failures }
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

function readReport(path: string): Report {
  const report = JSON.parse(readFileSync(path, 'utf8'))
  return 'stats' in report
    ? {
        passed: report.stats.expected,
        failures: playwrightFailures(report.suites, report.errors),
      }
    : { passed: report.numPassedTests, failures: vitestFailures(report.testResults) }
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
  tests: { results: { error?: { message?: string } }[] }[]
}
type PlaywrightSuite = { suites?: PlaywrightSuite[]; specs?: PlaywrightSpec[] }

const specsOf = (suites: PlaywrightSuite[]): PlaywrightSpec[] =>
  suites.flatMap(({ suites: inner = [], specs = [] }) => [...specs, ...specsOf(inner)])

function playwrightFailures(suites: PlaywrightSuite[], errors: { message?: string }[]): Failure[] {
  const failed = specsOf(suites).filter(({ ok }) => !ok)
  return [
    ...failed.map((spec) => ({
      test: `${spec.file} › ${spec.title}`,
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

/** Minutes say how much room is left; on a machine that others share they are no failure. */
function printMinutes(outcomes: readonly Outcome[], { minutes: budget, of }: Budget) {
  const line = (minutes: number, what: string) =>
    console.log(`${minutes.toFixed(1).padStart(6)} min  ${what}`)
  console.log()
  for (const { step, minutes } of outcomes) line(minutes, step)
  const total = outcomes.reduce((sum, { minutes }) => sum + minutes, 0)
  line(total, `in all; the budget of ${of} is ${budget} minutes on two cores that nobody else uses`)
}

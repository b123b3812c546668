import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { StoreName } from '@/demo/stores/names'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { ownNode } from './own-node'
import { makeThrowAwayFolder } from './throw-away-folder'

export type Truth = {
  at: string
  fault: string
  class: string
  store: StoreName
  scope: string | null
  key: string | null
  effectIds: string[]
  reference: string | null
  request?: { caller: string; method: string; path: string; body: string }
  shownAs?: 'redelivery' | 'dead_letter' | 'duplicate_effect'
  messageIds?: string[]
}

export type RunningDemo = {
  url: string
  folder: string
  runtime: { serviceUrl: string; providerUrl: string; databaseUrl: string; otlpUrl: string }
  /** Seconds from the start of the command to the first 200 of /readyz. */
  readyAfterS: number
  truth(): Truth[]
  signIns(): { role: string; email: string; password: string }[]
  /** A token as the README makes one. */
  token(role: 'viewer' | 'operator'): Promise<string>
  pids(): number[]
  /** What it printed, at most the last 200,000 characters. */
  output(): string
  /** Its exit code, once it has ended by itself. */
  exitCode(): number | null
  stop(): Promise<void>
}

type DemoOptions = {
  seed: string
  durationS: number
  rate?: number
  faultRate?: number
  /** The only kind of fault; left out = all. */
  fault?: string
  folder?: string
  /** The engines of its stores, with commas between; left out = all. */
  stores?: string
  /** As `npm start` does: no service, no provider, no traffic. */
  empty?: true
}

/** The command of `npm run demo` (or `npm start`) on a data folder and ports of its own, and what it has printed. */
export async function spawnDemo(options: DemoOptions & { folder: string }) {
  const [port, otlpPort] = [await freePort(), await freePort()]
  const env = {
    ...process.env,
    PORT: String(port),
    OTLP_PORT: String(otlpPort),
    IDEMSCOPE_DATA_DIR: options.folder,
    // A test's own receiver of notifications listens on this machine.
    IDEMSCOPE_OUTBOUND_ALLOW: '127.0.0.1/32',
  }
  const args = ['--import', 'tsx', 'jobs/supervisor/start.ts']
  if (!options.empty) {
    args.push('--demo', '--seed', options.seed, '--duration', String(options.durationS))
    args.push('--rate', String(options.rate ?? 20), '--fault-rate', String(options.faultRate ?? 0.05))
    args.push('--fault', options.fault ?? '')
    if (options.stores !== undefined) args.push('--stores', options.stores)
  }
  // By the channel it learns that this process has ended, and ends too.
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe', 'ipc'] })
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-200_000)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  return { child, env, url: `http://127.0.0.1:${port}`, output: () => output }
}

/** Starts the demo, or a console that knows nothing yet; waits for /readyz. */
export async function startDemo(options: DemoOptions): Promise<RunningDemo> {
  const folder = options.folder ?? makeThrowAwayFolder('demo')
  const startedAt = performance.now()
  const { child, env, url, output } = await spawnDemo({ ...options, folder })
  const ready = until(
    async () => {
      if (child.exitCode !== null)
        throw new Error(`the demo ended with ${child.exitCode}:\n${output().slice(-8_000)}`)
      return fetch(`${url}/readyz`).then(
        (answer) => answer.ok,
        () => false,
      )
    },
    300_000,
    () => `the demo is not ready:\n${output().slice(-8_000)}`,
  )
  await ready.catch(async (error: unknown) => {
    await endDemo(child)
    throw error
  })

  return {
    url,
    folder,
    readyAfterS: (performance.now() - startedAt) / 1000,
    runtime: JSON.parse(readFileSync(join(folder, 'runtime.json'), 'utf8')),
    truth: () => readLines(join(folder, 'demo', 'truth.ndjson')),
    signIns: () => JSON.parse(readFileSync(join(folder, 'demo', 'sign-ins.json'), 'utf8')),
    token: (role) => mintToken(role, env),
    pids: () => [child.pid ?? 0],
    output,
    exitCode: () => child.exitCode,
    async stop() {
      await endDemo(child)
      if (options.folder === undefined) rmSync(folder, { recursive: true, force: true })
    },
  }
}

export async function endDemo(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGTERM')
  await gone
}

function mintToken(role: string, env: NodeJS.ProcessEnv): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn('npm', ['run', '--silent', 'token', '--', '--role', role, '--name', `test-${role}`], {
      env: ownNode(env),
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.once('exit', (code) => (code === 0 ? done(out.trim()) : fail(new Error(`token: ${err}`))))
  })
}

const readLines = (path: string): Truth[] =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line))

/** Polls until the condition holds. Throws with `explain` when it does not within the time. */
export async function until(
  condition: () => Promise<boolean>,
  timeoutMs: number,
  explain: () => string,
): Promise<void> {
  const deadline = performance.now() + timeoutMs
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(explain())
    await new Promise((done) => setTimeout(done, 200))
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import type { Log } from '@/lib/log'

const STOP_TIMEOUT_MS = 6_000
const RESTART_MIN_MS = 500
const RESTART_MAX_MS = 15_000
/** A process that lived this long has earned a quick restart again. */
const HEALTHY_AFTER_MS = 60_000

/** Everything that a process is given; nothing of ours leaks into it unseen. */
export type Environment = Record<string, string> & { NODE_ENV: 'production' }

export type ChildSpec = {
  name: string
  args: string[]
  env: Environment
  onMessage?: (message: unknown) => void
  /** Runs once, before the end of all. */
  onStop?: () => Promise<void>
}

/** Runs processes and starts a crashed one again, later each time; the others do not notice. */
export class Children {
  private readonly running = new Map<string, ChildProcess>()
  private readonly closers = new Map<string, () => Promise<void>>()
  private readonly log: Log
  private stopping = false

  constructor(log: Log) {
    this.log = log
  }

  start(spec: ChildSpec, restartMs = RESTART_MIN_MS): void {
    if (this.stopping) return
    const startedAt = performance.now()
    const child = spawn(process.execPath, spec.args, {
      env: spec.env,
      // Not our process group: Ctrl-C is ours to pass on, in order. The IPC channel tells them when we are gone.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.running.set(spec.name, child)
    if (spec.onStop) this.closers.set(spec.name, spec.onStop)
    if (spec.onMessage) child.on('message', spec.onMessage)
    const restart = (why: object) => {
      this.running.delete(spec.name)
      if (this.stopping) return
      const waitMs = performance.now() - startedAt > HEALTHY_AFTER_MS ? RESTART_MIN_MS : restartMs
      this.log.error({ child: spec.name, ...why, restartInMs: waitMs }, 'child ended; starting it again')
      setTimeout(() => this.start(spec, Math.min(waitMs * 2, RESTART_MAX_MS)), waitMs)
    }
    child.on('error', (error) => {
      this.log.error({ child: spec.name, err: error }, 'trouble with a child')
      // One that could not be started has no exit.
      if (child.pid === undefined) restart({})
    })
    child.once('exit', (code, signal) => restart({ code, signal }))
  }

  /** Asks all to end, round by round, each with six seconds before it insists; resolves when none is left. */
  async stop(rounds: readonly (readonly string[])[]): Promise<void> {
    this.stopping = true
    // What cannot be said to a database that is gone must not keep the others running.
    await Promise.all(
      [...this.closers].map(([child, close]) =>
        close().catch((error: unknown) => this.log.warn({ child, err: error }, 'not closed in order')),
      ),
    )
    for (const names of rounds) {
      const children = names.flatMap((name) => this.running.get(name) ?? [])
      await Promise.all(children.map(endProcess))
    }
  }
}

async function endProcess(child: ChildProcess): Promise<void> {
  const gone = new Promise<void>((done) => child.once('exit', () => done()))
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await gone
  clearTimeout(insist)
}

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

/** Calls `end` when this process ends with the child still there: in whatever way, but for `kill -9`. */
export function endWithUs(child: ChildProcess, end: () => void): void {
  if (child.pid === undefined) return
  // Before others clean up after it.
  process.prependListener('exit', end)
  child.once('exit', () => process.off('exit', end))
}

const OUTPUT_CHARS_KEPT = 20_000

type RunGroup = Omit<SpawnOptions, 'stdio' | 'detached' | 'signal'> & {
  input?: string
  signal?: AbortSignal | undefined
}

/**
 * Runs a program that starts others. With a signal it has a process group of its own, all of which is killed when the
 * signal aborts or this process ends; without one it stays in ours, where Ctrl-C reaches it. Resolves once it has ended,
 * with its exit code (null = killed) and the end of what it printed. Throws when it cannot be started.
 */
export function runGroup(
  program: string,
  args: string[],
  { input = '', signal, ...options }: RunGroup,
): Promise<{ code: number | null; output: string }> {
  signal?.throwIfAborted()
  const child = spawn(program, args, { ...options, detached: signal !== undefined, stdio: 'pipe' })
  const { pid } = child
  const kill = () => {
    try {
      if (pid !== undefined) process.kill(-pid, 'SIGKILL')
    } catch {
      // All of them have ended.
    }
  }
  if (signal !== undefined) {
    endWithUs(child, kill)
    signal.addEventListener('abort', kill, { once: true })
  }
  let output = ''
  const keep = (chunk: Buffer) => {
    output = (output + chunk.toString()).slice(-OUTPUT_CHARS_KEPT)
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  // A program that reads nothing of it may have ended already.
  child.stdin.on('error', () => undefined).end(input)
  return new Promise((done, fail) => {
    child.once('error', fail)
    // Not `exit`: its output is still to come then.
    child.once('close', (code) => {
      signal?.removeEventListener('abort', kill)
      done({ code, output })
    })
  })
}

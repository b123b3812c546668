import { type ChildProcess, spawn } from 'node:child_process'
import { freePort } from '@/jobs/supervisor/embedded/free-port'
import { ownNode } from '../../support/own-node'

export type Started = { url: string; stop: () => void }

/** Starts a program of a project in a process group of its own; resolves once it answers. */
export async function startProgram(
  folder: string,
  args: (port: number) => string[],
  env: NodeJS.ProcessEnv,
): Promise<Started> {
  const port = await freePort()
  const child: ChildProcess = spawn('npx', args(port), {
    cwd: folder,
    env: { ...ownNode(env), PORT: String(port), NEXT_TELEMETRY_DISABLED: '1' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk) => {
      output += chunk
    })
  const url = `http://127.0.0.1:${port}`
  for (;;) {
    if (child.exitCode !== null) throw new Error(`it ended: ${output}`)
    const answer = await fetch(url).catch(() => null)
    if (answer !== null) break
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  return {
    url,
    stop: () => {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    },
  }
}

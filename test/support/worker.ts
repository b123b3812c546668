import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect } from 'vitest'

const WAIT = { timeout: 60_000, interval: 100 }

/**
 * `npm run worker` on a console's database, with nothing to do on its own for the time of a test. It is among `workers` from its start
 * on, and ready when this resolves.
 */
export async function startWorker(
  workers: ChildProcess[],
  databaseUrl: string,
  credentialsKey: string,
  settings: Record<string, string> = {},
): Promise<ChildProcess> {
  const never = String(3_600_000)
  const periods = ['STAGE', 'RECONCILE', 'ROLL_UP', 'LOCK_CHECK', 'COLLECT'].map((name) => [
    `IDEMSCOPE_${name}_EVERY_MS`,
    never,
  ])
  const worker = spawn(process.execPath, ['--import', 'tsx', 'jobs/worker/main.ts'], {
    env: {
      PATH: process.env.PATH,
      NODE_ENV: 'test',
      DATABASE_URL: databaseUrl,
      IDEMSCOPE_CREDENTIALS_KEY: credentialsKey,
      IDEMSCOPE_KEY_SECRET: 'k'.repeat(32),
      IDEMSCOPE_DEMO: '1',
      ...settings,
      ...Object.fromEntries(periods),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  workers.push(worker)
  let said = ''
  const hear = (part: Buffer) => {
    said += part.toString()
  }
  worker.stdout?.on('data', hear)
  worker.stderr?.on('data', hear)
  await expect.poll(() => said, WAIT).toContain('worker is ready')
  return worker
}

/** Nothing, where it has ended already. */
export async function killWorker(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return
  const ended = once(worker, 'exit')
  worker.kill('SIGKILL')
  await ended
}

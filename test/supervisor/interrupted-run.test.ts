import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { processesOf } from '../support/processes'

/** Everything that the run starts has this folder in its environment. */
let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'idemscope-interrupted-'))
  // The server runs as another user, whose temporary folder this is, too.
  chmodSync(folder, 0o1777)
})
afterEach(() => {
  for (const { pid } of processesOf(folder)) process.kill(pid, 'SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

test.each([
  { signal: 'SIGTERM', moment: 'its cluster is made', program: 'initdb' },
  { signal: 'SIGINT', moment: 'its server starts', program: 'bin/postgres' },
  { signal: 'SIGINT', moment: 'a test goes on', program: 'forks' },
  { signal: 'SIGTERM', moment: 'a test goes on', program: 'forks' },
] as const)(
  'a run of tests that gets $signal while $moment leaves nothing behind',
  async ({ signal, program }) => {
    const run = spawn(process.execPath, ['--import', 'tsx', 'test/supervisor/run-endless-child.ts'], {
      env: { ...process.env, TMPDIR: folder },
      stdio: 'ignore',
    })
    const ended = once(run, 'exit')
    const isThere = () => processesOf(folder).some(({ name }) => name.includes(program))
    await expect.poll(isThere, { interval: 10, timeout: 80_000 }).toBe(true)
    run.kill(signal)
    await ended
    await expect.poll(() => processesOf(folder)).toEqual([])
    expect(readdirSync(folder).filter((name) => name.startsWith('idemscope-'))).toEqual([])
  },
)

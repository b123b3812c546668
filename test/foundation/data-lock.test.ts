import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { lockDataFolder } from '@/jobs/supervisor/data-lock'

let folder: string
const now = new Date('2026-11-22T03:00:00Z')

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'idemscope-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

test('a second start on the same data says who holds it and what to do', () => {
  const unlock = lockDataFolder(folder, 'http://localhost:3000', now)
  expect(() => lockDataFolder(folder, 'http://localhost:3001', now)).toThrow(
    new RegExp(
      `in use by process ${process.pid} since 2026-11-22T03:00:00.000Z.*localhost:3000.*IDEMSCOPE_DATA_DIR`,
    ),
  )
  unlock()
  lockDataFolder(folder, 'http://localhost:3001', now)()
})

test('the lock of a process that was killed is taken over', async () => {
  lockDataFolder(folder, 'http://localhost:3000', now)
  const path = join(folder, 'lock.json')
  const child = spawn('sleep', ['60'])
  const gone = new Promise((done) => child.once('exit', done))
  child.kill('SIGKILL')
  await gone
  writeFileSync(
    path,
    JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), pid: child.pid, startTicks: '1' }),
  )
  lockDataFolder(folder, 'http://localhost:3001', now)()
})

test('the same pid of a later process holds nothing', () => {
  lockDataFolder(folder, 'http://localhost:3000', now)
  const path = join(folder, 'lock.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), startTicks: '1' }))
  lockDataFolder(folder, 'http://localhost:3001', now)()
})

test('half a lock file is nobody’s', () => {
  writeFileSync(join(folder, 'lock.json'), '{"pid":')
  lockDataFolder(folder, 'http://localhost:3001', now)()
})

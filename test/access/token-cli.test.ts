import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokenVerifier } from '@/lib/access/tokens'
import { systemClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'

const run = promisify(execFile)
let console: TestDatabase
let folder: string
beforeAll(async () => {
  console = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'idemscope-token-'))
})
afterAll(async () => {
  await console.close()
  await rm(folder, { recursive: true })
})

async function token(...args: string[]) {
  const { DATABASE_URL: _, ...rest } = process.env
  try {
    const { stdout } = await run(process.execPath, ['--import', 'tsx', 'jobs/cli/token.ts', ...args], {
      env: { ...rest, IDEMSCOPE_DATA_DIR: folder },
      timeout: 30_000,
    })
    return { code: 0, stdout, stderr: '' }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, stdout, stderr }
  }
}

test('without a database it says what to do', async () => {
  const answer = await token('--role', 'viewer', '--name', 'x')
  expect(answer).toMatchObject({ code: 1, stdout: '' })
  expect(answer.stderr).toContain('runtime.json')
})

test('it prints one token of the running console, and nothing else', async () => {
  await writeFile(join(folder, 'runtime.json'), JSON.stringify({ databaseUrl: console.url }))
  const { code, stdout } = await token('--role', 'operator', '--name', 'ci')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^idemscope_[\w-]{43}\n$/)
  expect(await createTokenVerifier(console.db, systemClock)(stdout.trim())).toMatchObject({
    role: 'operator',
    name: 'ci',
  })
})

test('it refuses the roles that approve, and bad arguments, clearly', async () => {
  for (const role of ['approver', 'admin']) {
    const answer = await token('--role', role, '--name', 'x')
    expect(answer).toMatchObject({ code: 1, stdout: '' })
    expect(answer.stderr).toContain('viewer and operator tokens only')
  }
  expect((await token('--role', 'viewer')).stderr).toContain('Usage')
  expect((await token('--nope')).stderr).toContain('Usage')
})

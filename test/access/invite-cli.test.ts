import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { acceptInvitation } from '@/lib/access/accounts/accept-invitation'
import { endOpenRequests } from '@/lib/actions/end-open-requests'
import { systemClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'

const run = promisify(execFile)
let console: TestDatabase
let folder: string
beforeAll(async () => {
  console = await createTestDatabase()
  folder = await mkdtemp(join(tmpdir(), 'idemscope-invite-'))
  const runtime = { databaseUrl: console.url, consoleUrl: 'https://console.example.com' }
  await writeFile(join(folder, 'runtime.json'), JSON.stringify(runtime))
})
afterAll(async () => {
  await console.close()
  await rm(folder, { recursive: true })
})

async function invite(...args: string[]) {
  const { DATABASE_URL: _, ...rest } = process.env
  return run(process.execPath, ['--import', 'tsx', 'jobs/cli/invite.ts', ...args], {
    env: { ...rest, IDEMSCOPE_DATA_DIR: folder },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  )
}

test('the host invites the second administrator: one link, and nothing else', async () => {
  const { code, stdout } = await invite('--email', 'second@test.local', '--name', 'Second', '--role', 'admin')
  expect(code).toBe(0)
  expect(stdout).toMatch(/^https:\/\/console\.example\.com\/invitation#inv_[\w-]{43}\n$/)
  const secret = stdout.trim().split('#')[1] ?? ''
  await acceptInvitation(
    { db: console.db, clock: systemClock, endOpenRequests },
    { secret, password: 'correct horse battery' },
  )
  expect(await console.db.prisma.user.findFirst({ where: { email: 'second@test.local' } })).toMatchObject({
    name: 'Second',
    role: 'admin',
    confirmCode: null,
  })
})

test('bad arguments say what is right', async () => {
  expect((await invite()).stderr).toContain('Usage')
  expect((await invite('--email', 'x@test.local', '--role', 'root')).stderr).toContain('viewer, operator')
  const unnamed = await invite('--email', 'third@test.local')
  expect(unnamed).toMatchObject({ code: 1, stdout: '' })
  expect(unnamed.stderr).toContain('give a name and a role')
})

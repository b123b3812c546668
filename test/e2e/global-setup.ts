import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { request } from '@playwright/test'
import { buildConsole } from '@/jobs/supervisor/build'
import { ensureUser } from '@/lib/access/users'
import { systemClock } from '@/lib/core/clock'
import { closeDatabase, openDatabase } from '@/lib/db'
import { startDemo } from '../support/demo'
import { claimsFolder } from './case-fixture'
import { type Person, peopleFile, stateFile } from './people'

/**
 * The demo with traffic that goes on, unless BASE_URL names a running one (its sign-ins are then in OPERATOR and
 * APPROVER as email:password, its data folder in E2E_DATA_DIR). Gives back the teardown.
 */
export default async function globalSetup(): Promise<() => Promise<void>> {
  rmSync(claimsFolder, { recursive: true, force: true })
  mkdirSync(claimsFolder, { recursive: true })
  const given = process.env.BASE_URL
  // Before the demo, which has to be ready within its time however long a build takes.
  if (given === undefined) await buildConsole()
  const demo =
    given === undefined
      ? await startDemo({ seed: '5', durationS: 0, rate: 6, faultRate: 0.15, stores: 'postgresql' })
      : undefined
  const baseUrl = demo?.url ?? given ?? ''
  process.env.BASE_URL = baseUrl
  process.env.E2E_DATA_DIR ??= demo?.folder
  const signIns = demo?.signIns() ?? [fromEnvironment('operator'), fromEnvironment('approver')]
  const people = [...signIns, ...(await makeOthers())].map(
    (each): Person => ({ ...each, state: stateFile(each.role) }),
  )
  writeFileSync(peopleFile, JSON.stringify(people), { mode: 0o600 })
  for (const { email, password, state } of people) {
    const context = await request.newContext({ baseURL: baseUrl, extraHTTPHeaders: { origin: baseUrl } })
    const answer = await context.post('/api/auth/sign-in/email', { data: { email, password } })
    if (!answer.ok()) throw new Error(`${email} cannot sign in: ${answer.status()} ${await answer.text()}`)
    await context.storageState({ path: state })
    await context.dispose()
  }
  return async () => {
    await demo?.stop()
  }
}

/** Somebody who may only look, and an administrator: the demo has neither. */
async function makeOthers() {
  const folder = process.env.E2E_DATA_DIR
  if (folder === undefined) throw new Error('BASE_URL is set: give the data folder as E2E_DATA_DIR too.')
  const { databaseUrl } = JSON.parse(readFileSync(join(folder, 'runtime.json'), 'utf8'))
  const db = openDatabase(databaseUrl, 1)
  const others = (['viewer', 'admin'] as const).map((role) => ({
    role,
    email: `${role}-${Date.now()}@idemscope.local`,
    password: randomUUID(),
  }))
  try {
    for (const other of others) await ensureUser(db, systemClock, { ...other, name: `${other.role}-1` })
  } finally {
    await closeDatabase(db)
  }
  return others
}

function fromEnvironment(role: 'operator' | 'approver') {
  const [email, password] = (process.env[role.toUpperCase()] ?? '').split(/:(.*)/s)
  if (!email || !password)
    throw new Error(`BASE_URL is set: give ${role.toUpperCase()} as email:password too.`)
  return { role, email, password }
}

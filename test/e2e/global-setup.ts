import { mkdirSync, writeFileSync } from 'node:fs'
import { request } from '@playwright/test'
import { startDemo } from '../support/demo'
import { type Person, peopleFile, stateFile } from './people'

/**
 * The demo with traffic that goes on, unless BASE_URL names a running one (its sign-ins are then in OPERATOR and
 * APPROVER as email:password). Gives back the teardown.
 */
export default async function globalSetup(): Promise<() => Promise<void>> {
  mkdirSync('.test', { recursive: true })
  const given = process.env.BASE_URL
  const demo = given === undefined ? await startDemo({ seed: '5', durationS: 0, rate: 20 }) : undefined
  const baseUrl = demo?.url ?? given ?? ''
  process.env.BASE_URL = baseUrl
  const people = (demo?.signIns() ?? [fromEnvironment('operator'), fromEnvironment('approver')]).map(
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

function fromEnvironment(role: 'operator' | 'approver') {
  const [email, password] = (process.env[role.toUpperCase()] ?? '').split(/:(.*)/s)
  if (!email || !password)
    throw new Error(`BASE_URL is set: give ${role.toUpperCase()} as email:password too.`)
  return { role, email, password }
}

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addUser } from '@/lib/access/add-user'
import { type Auth, createAuth } from '@/lib/access/auth'
import { authorise } from '@/lib/access/authorise'
import { sessionActor } from '@/lib/access/session-actor'
import { setBanned } from '@/lib/access/set-banned'
import { createTokenVerifier, listTokens, mintOwnToken, mintToken, revokeToken } from '@/lib/access/tokens'
import { ensureFirstAdmin, ensureUser, listUsers, setRole } from '@/lib/access/users'
import type { Context } from '@/lib/context'
import { manualClock, systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { PERMISSIONS, ROLES, roleAllows, type Verb } from '@/lib/core/permissions'
import { silentLog } from '@/lib/log'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

const URL = 'http://localhost:3000'
const PASSWORD = 'correct horse battery'

let console: TestDatabase
let auth: Auth
const clock = manualClock('2026-01-01T00:00:00Z')
beforeAll(async () => {
  console = await createTestDatabase()
  auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: URL, production: true })
})
afterAll(() => console.close())

const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  auth.handler(
    new Request(`${URL}/api/auth${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: URL, ...headers },
      body: JSON.stringify(body),
    }),
  )
const cookieOf = (response: Response) =>
  response.headers
    .getSetCookie()
    .map((cookie) => cookie.split(';')[0])
    .join('; ')

async function signedIn(email: string, password = PASSWORD) {
  const response = await post('/sign-in/email', { email, password })
  const actor = await sessionActor(auth, new Headers({ cookie: cookieOf(response) }))
  return { response, actor, cookie: cookieOf(response) }
}

describe('the role × verb table', () => {
  for (const verb of Object.keys(PERMISSIONS) as Verb[]) {
    test(verb, () => {
      for (const role of ROLES) {
        const check = () => authorise({ kind: 'user', userId: 'u', name: 'n', role, via: 'session' }, verb)
        if (roleAllows(role, verb)) expect(check).not.toThrow()
        else expect(check).toThrow(AppError)
      }
      const machine = () => authorise({ kind: 'system', job: 'j' }, verb)
      if (/^(case|action|alert|lock|kill_switch|receiver|user|token|source)/.test(verb))
        expect(machine).toThrow(AppError)
      else expect(machine).not.toThrow()
    })
  }
})

test('the first admin is made once, also by two starts at once, and can sign in', async () => {
  const made = await Promise.all(
    [0, 1].map(() => ensureFirstAdmin(console.db, systemClock, { email: 'Admin@Test.local' })),
  )
  const [admin, ...others] = made.filter((one) => one !== null)
  expect(others).toEqual([])
  const { response, actor } = await signedIn(admin?.email ?? '', admin?.password)
  expect(response.status).toBe(200)
  expect(actor).toMatchObject({ kind: 'user', role: 'admin', via: 'session' })
  expect(await console.db.prisma.auditEntry.count({ where: { verb: 'user.create' } })).toBe(1)
})

test('a user is ensured, and stays as it is', async () => {
  const input = { email: 'op@test.local', name: 'Olga', role: 'operator', password: PASSWORD } as const
  const first = await ensureUser(console.db, systemClock, input)
  expect(first.created).toBe(true)
  expect(await ensureUser(console.db, systemClock, { ...input, role: 'admin' })).toEqual({
    userId: first.userId,
    created: false,
  })
  const { actor } = await signedIn('op@test.local')
  expect(actor).toMatchObject({ role: 'operator', name: 'Olga' })
  expect((await post('/sign-in/email', { email: 'op@test.local', password: 'wrong password' })).status).toBe(
    401,
  )
})

test('nobody signs up, and better-auth’s own administration is shut, to admins too', async () => {
  expect((await post('/sign-up/email', { email: 'x@test.local', name: 'x', password: PASSWORD })).ok).toBe(
    false,
  )
  expect(await console.db.prisma.user.count({ where: { email: 'x@test.local' } })).toBe(0)
  await ensureUser(console.db, systemClock, {
    email: 'boss@test.local',
    name: 'Boss',
    role: 'admin',
    password: PASSWORD,
  })
  const { cookie } = await signedIn('boss@test.local')
  const userId = (await console.db.prisma.user.findUniqueOrThrow({ where: { email: 'op@test.local' } })).id
  for (const [path, body] of [
    ['/admin/impersonate-user', { userId }],
    ['/admin/set-role', { userId, role: 'approver' }],
    ['/admin/set-user-password', { userId, newPassword: 'other password 1' }],
    ['/admin/create-user', { email: 'y@test.local', name: 'y', password: PASSWORD, role: 'admin' }],
    ['/api-key/create', { name: 'k' }],
  ] as const) {
    expect((await post(path, body, { cookie })).status, path).toBe(404)
  }
  // Nor does a person give themselves a role.
  await post('/update-user', { name: 'Boss 2', role: 'approver', service: true }, { cookie })
  expect(await console.db.prisma.user.findUnique({ where: { email: 'boss@test.local' } })).toMatchObject({
    role: 'admin',
    service: false,
  })
})

test('attempts are counted by account, whatever address the caller claims; a success clears them', async () => {
  await ensureUser(console.db, systemClock, {
    email: 'slow@test.local',
    name: 'S',
    role: 'viewer',
    password: PASSWORD,
  })
  const wrong = (n: number) =>
    post(
      '/sign-in/email',
      { email: 'slow@test.local', password: 'wrong wrong 1' },
      { 'x-forwarded-for': `10.0.0.${n}` },
    )
  for (let n = 0; n < 5; n++) expect((await wrong(n)).status).toBe(401)
  expect((await signedIn('slow@test.local')).response.status).toBe(200)
  for (let n = 0; n < 10; n++) expect((await wrong(n)).status).toBe(401)
  const refused = await wrong(99)
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await signedIn('slow@test.local')).response.status).toBe(429)
  clock.advance(5 * 60_000 + 1)
  expect((await signedIn('slow@test.local')).response.status).toBe(200)
})

test('a token from the command line is a service user’s, of the two lower roles', async () => {
  const { token, userId } = await mintToken(console.db, systemClock, { role: 'operator', name: 'deploy bot' })
  const verify = createTokenVerifier(console.db, clock)
  expect(await verify(token)).toMatchObject({ userId, role: 'operator', via: 'token', name: 'deploy bot' })
  expect(await verify(`${token}x`)).toBeNull()
  expect(await verify('')).toBeNull()
  for (const role of ['approver', 'admin', 'root']) {
    await expect(mintToken(console.db, systemClock, { role, name: 'n' })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('role'),
    })
  }
  expect((await console.db.prisma.apikey.findMany()).map((row) => row.key)).not.toContain(token)
  const users = await listUsers(console.db)
  expect(users.find((user) => user.id === userId)).toMatchObject({ service: true, role: 'operator' })
})

test('a revoked token, and a changed role, are noticed within 10 s', async () => {
  const admin = await actor('boss@test.local')
  const { token, tokenId, userId } = await mintToken(console.db, systemClock, {
    role: 'viewer',
    name: 'short',
  })
  const verify = createTokenVerifier(console.db, clock)
  expect(await verify(token)).toMatchObject({ role: 'viewer' })
  await setRole(admin, { userId, role: 'operator', reason: 'it needs to release locks' })
  await expect(
    setRole(admin, { userId, role: 'approver', reason: 'no reason is enough' }),
  ).rejects.toMatchObject({ code: 'unprocessable' })
  expect(await verify(token)).toMatchObject({ role: 'viewer' })
  clock.advance(10_000)
  expect(await verify(token)).toMatchObject({ role: 'operator' })
  await revokeToken(admin, tokenId)
  clock.advance(10_000)
  expect(await verify(token)).toBeNull()
})

test('a person’s own token has their role, and makes no other', async () => {
  const person = await actor('op@test.local')
  const { token, tokenId } = await mintOwnToken(person, { name: 'laptop' })
  const owner = await createTokenVerifier(console.db, clock)(token)
  if (owner === null) throw new Error('not verified')
  expect(owner).toMatchObject({ role: 'operator', via: 'token', tokenId })
  await expect(mintOwnToken({ ...person, actor: owner }, { name: 'more' })).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect((await listTokens(console.db, owner.userId)).map(({ id }) => id)).toEqual([tokenId])
  const stranger = await actor('slow@test.local')
  await expect(revokeToken(stranger, tokenId)).rejects.toMatchObject({ code: 'not_found' })
  await revokeToken(person, tokenId)
  expect(await listTokens(console.db, owner.userId)).toEqual([])
})

async function actor(email: string): Promise<Context> {
  const user = await console.db.prisma.user.findUniqueOrThrow({ where: { email } })
  const role = ROLES.find((known) => known === user.role) ?? 'viewer'
  return {
    db: console.db,
    clock,
    log: silentLog,
    queue: noQueue,
    requestId: 'r',
    actor: { kind: 'user', userId: user.id, name: user.name, role, via: 'session' },
  }
}

test('an admin makes a user who can sign in with the password that is told once, and locks them out', async () => {
  const as = (userId: string, role: 'admin' | 'approver'): Context => ({
    db: console.db,
    clock,
    log: silentLog,
    queue: noQueue,
    requestId: 'req_add',
    actor: { kind: 'user', userId, name: 'ada', role, via: 'session' },
  })
  const reason = 'joins the team on call'
  const input = { email: 'New.Person@Example.com', name: 'new person', role: 'approver' as const, reason }
  await expect(addUser(as('u1', 'approver'), input)).rejects.toMatchObject({ code: 'forbidden' })
  const { userId, email, password } = await addUser(as('u1', 'admin'), input)
  expect(email).toBe('new.person@example.com')
  await expect(addUser(as('u1', 'admin'), input)).rejects.toMatchObject({ code: 'conflict' })
  const before = await signedIn(email, password)
  expect(before.actor).toMatchObject({ userId, role: 'approver' })
  await expect(setBanned(as(userId, 'admin'), { userId, banned: true, reason })).rejects.toMatchObject({
    code: 'unprocessable',
  })
  await setBanned(as('u1', 'admin'), { userId, banned: true, reason })
  expect(await sessionActor(auth, new Headers({ cookie: before.cookie }))).toBeNull()
  expect((await signedIn(email, password)).actor).toBeNull()
  await setBanned(as('u1', 'admin'), { userId, banned: false, reason })
  expect((await signedIn(email, password)).actor).toMatchObject({ userId })
  const entries = await console.db.prisma.auditEntry.findMany({
    where: { subject: userId },
    orderBy: { id: 'asc' },
  })
  expect(entries.map(({ verb, actor }) => [verb, actor])).toEqual([
    ['user.create', 'ada'],
    ['user.lock_out', 'ada'],
    ['user.let_in', 'ada'],
  ])
  expect(JSON.stringify(entries.map(({ after }) => after))).not.toContain(password)
})

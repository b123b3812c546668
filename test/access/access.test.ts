import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Auth, createAuth } from '@/lib/access/auth'
import { listEndingTokens, listTokens } from '@/lib/access/list-tokens'
import { lowerRole } from '@/lib/access/lower-role'
import { sessionActor } from '@/lib/access/session-actor'
import { createTokenVerifier, mintOwnToken, mintToken, revokeToken } from '@/lib/access/tokens'
import { ensureFirstAdmin, ensureUser, listUsers } from '@/lib/access/users'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { manualClock, systemClock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { PERMISSIONS, ROLES, roleAllows, type Verb } from '@/lib/core/permissions'
import { silentLog } from '@/lib/log'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

const URL = 'http://localhost:3000'
const PASSWORD = 'correct horse battery'
const REASON = 'joins the team on call'

let console: TestDatabase
let auth: Auth
const clock = manualClock('2026-01-01T00:00:00Z')
beforeAll(async () => {
  console = await createTestDatabase()
  auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: URL })
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
      if (/^(case|action|alert|incident|lock|hold|message|kill_switch|receiver|user|token|source)/.test(verb))
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

test('nobody signs up, and all else of better-auth is shut, to admins too', async () => {
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
    ['/update-user', { name: 'Olga' }],
    ['/change-password', { currentPassword: PASSWORD, newPassword: 'other password 1' }],
    ['/verify-password', { password: PASSWORD }],
    ['/change-email', { newEmail: 'z@test.local' }],
    ['/sign-in/social', { provider: 'x' }],
    ['/sign-in/email/', { email: 'boss@test.local', password: PASSWORD }],
    ['/%73ign-in/email', { email: 'boss@test.local', password: PASSWORD }],
  ] as const) {
    expect((await post(path, body, { cookie })).status, path).toBe(404)
  }
  expect(await console.db.prisma.user.findUnique({ where: { email: 'boss@test.local' } })).toMatchObject({
    name: 'Boss',
    role: 'admin',
    service: false,
  })
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

test('a revoked token, and a lowered role, are noticed within 10 s', async () => {
  const admin = await actor('boss@test.local')
  const { token, tokenId, userId } = await mintToken(console.db, clock, { role: 'operator', name: 'short' })
  const verify = createTokenVerifier(console.db, clock)
  expect(await verify(token)).toMatchObject({ role: 'operator' })
  await lowerRole(admin, { userId, role: 'viewer', reason: REASON })
  expect(await verify(token)).toMatchObject({ role: 'operator' })
  clock.advance(10_000)
  expect(await verify(token)).toMatchObject({ role: 'viewer' })
  await revokeToken(admin, tokenId)
  clock.advance(10_000)
  expect(await verify(token)).toBeNull()
})

test('a person’s own token has their role, and makes no other', async () => {
  const person = await actor('op@test.local')
  const { token, tokenId, expiresAt } = await mintOwnToken(person, { name: 'laptop' })
  expect(Date.parse(expiresAt) - clock.now().getTime()).toBe(90 * 86_400_000)
  const owner = await createTokenVerifier(console.db, clock)(token)
  if (owner === null) throw new Error('not verified')
  expect(owner).toMatchObject({ role: 'operator', via: 'token', tokenId })
  await expect(mintOwnToken({ ...person, actor: owner }, { name: 'more' })).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect((await listTokens(console.db, owner.userId, clock.now())).map(({ id }) => id)).toEqual([tokenId])
  const stranger = await someone('stranger@test.local')
  await expect(revokeToken(stranger, tokenId)).rejects.toMatchObject({ code: 'not_found' })
  await revokeToken(person, tokenId)
  expect(await listTokens(console.db, owner.userId, clock.now())).toEqual([])
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

async function someone(email: string): Promise<Context> {
  await ensureUser(console.db, clock, { email, name: email, role: 'viewer', password: PASSWORD })
  return actor(email)
}

test('a token ends when it was said, also within the cache, and at most a year after it was made', async () => {
  const person = await actor('op@test.local')
  await expect(mintOwnToken(person, { name: 'for ever', days: 366 })).rejects.toThrow('at most 365 days')
  const { token, tokenId } = await mintOwnToken(person, { name: 'a day', days: 1 })
  const verify = createTokenVerifier(console.db, clock)
  clock.advance(86_400_000 - 1)
  expect(await verify(token)).toMatchObject({ tokenId })
  clock.advance(1)
  expect(await verify(token)).toBeNull()
  const service = await mintToken(console.db, clock, { role: 'viewer', name: 'scraper' })
  expect(Date.parse(service.expiresAt) - clock.now().getTime()).toBe(365 * 86_400_000)
})

test('who owns a token that ends within 14 days is warned; an admin also of those of services', async () => {
  const [person, boss] = [await actor('op@test.local'), await actor('boss@test.local')]
  await mintOwnToken(person, { name: 'two weeks', days: 14 })
  await mintOwnToken(person, { name: 'later', days: 15 })
  await mintToken(console.db, clock, { role: 'viewer', name: 'soon gone', days: 3 })
  const warned = async ({ actor: who }: Context) =>
    who.kind === 'user' ? (await listEndingTokens(console.db, who, clock.now())).map(({ name }) => name) : []
  expect(await warned(person)).toEqual(['two weeks'])
  expect(await warned(boss)).toEqual(['soon gone'])
})

test('a service may do no more than the owner of its token, and nothing once they are locked out', async () => {
  const owner = await someone('owner@test.local')
  const { userId } = owner.actor as { userId: string }
  await console.db.prisma.user.update({ where: { id: userId }, data: { role: 'operator' } })
  const { token } = await mintToken(console.db, clock, {
    role: 'operator',
    name: 'deploys',
    owner: 'Owner@test.local',
  })
  const verify = createTokenVerifier(console.db, clock)
  const after = async (data: { role?: string; banned?: boolean }) => {
    await console.db.prisma.user.update({ where: { id: userId }, data })
    clock.advance(10_000)
    return verify(token)
  }
  expect(await after({})).toMatchObject({ role: 'operator' })
  expect(await after({ role: 'viewer' })).toMatchObject({ role: 'viewer' })
  expect(await after({ role: 'admin' })).toMatchObject({ role: 'operator' })
  expect(await after({ banned: true })).toBeNull()
  await expect(
    mintToken(console.db, clock, { role: 'viewer', name: 'x', owner: 'nobody@test.local' }),
  ).rejects.toMatchObject({ code: 'invalid', message: expect.stringContaining('nobody@test.local') })
})

test('a service user does not take a person’s name', async () => {
  await expect(mintToken(console.db, clock, { role: 'operator', name: 'OLGA' })).rejects.toMatchObject({
    code: 'conflict',
  })
})

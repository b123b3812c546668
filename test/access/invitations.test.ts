import { afterAll, beforeAll, expect, test } from 'vitest'
import { readInvitation } from '@/lib/access/accounts/accept-invitation'
import { changeOwnPassword } from '@/lib/access/accounts/change-password'
import { invite, inviteAgain, withdrawInvitation } from '@/lib/access/accounts/invite'
import { inviteFromHost } from '@/lib/access/accounts/invite-from-host'
import { renameUser } from '@/lib/access/accounts/rename'
import { type Auth, createAuth } from '@/lib/access/auth'
import { readSession, sessionActor } from '@/lib/access/session-actor'
import { endSessions, listSessions } from '@/lib/access/sessions'
import { setBanned } from '@/lib/access/set-banned'
import { createTokenVerifier, mintOwnToken } from '@/lib/access/tokens'
import { endOpenRequests } from '@/lib/actions/end-open-requests'
import { manualClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { emailOf, PASSWORD, peopleOf, REASON } from './people'

const URL = 'http://localhost:3000'
const DAY_MS = 86_400_000

let console: TestDatabase
let auth: Auth
let people: ReturnType<typeof peopleOf>
const clock = manualClock(new Date().toISOString())

beforeAll(async () => {
  console = await createTestDatabase()
  people = peopleOf(console.db, clock)
  auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: URL })
  await people.fromHost('Ada', 'admin')
  await people.fromHost('Bob', 'admin')
})
afterAll(() => console.close())

/** The session's cookie; '' when refused. */
async function signIn(name: string, password = PASSWORD): Promise<string> {
  const answer = await auth.handler(
    new Request(`${URL}/api/auth/sign-in/email`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: URL },
      body: JSON.stringify({ email: emailOf(name), password }),
    }),
  )
  return answer.ok
    ? answer.headers
        .getSetCookie()
        .map((cookie) => cookie.split(';')[0])
        .join('; ')
    : ''
}
const actorOf = (cookie: string) => sessionActor(auth, new Headers({ cookie }))

async function invited(name: string) {
  const asked = { email: emailOf(name), name, reason: REASON }
  return invite(await people.as('Ada'), asked)
}

test('an administrator invites a viewer, whose person alone ever sees the password', async () => {
  const answer = await invited('New Person')
  expect(Object.keys(answer).sort()).toEqual(['email', 'expiresAt', 'secret', 'userId'])
  expect(await signIn('New Person')).toBe('')
  expect(await readInvitation(console.db, clock, answer.secret)).toMatchObject({
    email: emailOf('New Person'),
    name: 'New Person',
    inviter: 'Ada',
  })
  expect(await people.accept(answer.secret)).toEqual({ email: emailOf('New Person') })
  expect(await actorOf(await signIn('New Person'))).toMatchObject({ userId: answer.userId, role: 'viewer' })
  const entries = await console.db.prisma.auditEntry.findMany({
    where: { subject: answer.userId },
    orderBy: { id: 'asc' },
  })
  expect(entries.map(({ verb, actor, via }) => [verb, actor, via])).toEqual([
    ['user.create', 'Ada', 'session'],
    ['user.accept_invitation', 'New Person', 'invitation'],
  ])
  expect(JSON.stringify(entries.map(({ after }) => after))).not.toContain(answer.secret)
  expect(JSON.stringify(await console.db.prisma.invitation.findMany())).not.toContain(answer.secret)
})

test('an invitation works once, of two at the same time as well', async () => {
  const { secret } = await invited('Once')
  const both = await Promise.allSettled([people.accept(secret), people.accept(secret, 'another password')])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  await expect(people.accept(secret)).rejects.toMatchObject({ code: 'not_found' })
  await expect(readInvitation(console.db, clock, secret)).rejects.toMatchObject({ code: 'not_found' })
})

test('an invitation ends after three days, when it is replaced or withdrawn, and when its user is locked out', async () => {
  const ada = await people.as('Ada')
  const late = await invited('Late')
  clock.advance(3 * DAY_MS)
  await expect(people.accept(late.secret)).rejects.toMatchObject({ code: 'not_found' })
  const again = await inviteAgain(ada, { userId: late.userId, reason: REASON })
  const last = await inviteAgain(ada, { userId: late.userId, reason: REASON })
  await expect(people.accept(again.secret)).rejects.toMatchObject({ code: 'not_found' })
  await withdrawInvitation(ada, { userId: late.userId, reason: REASON })
  await expect(people.accept(last.secret)).rejects.toMatchObject({ code: 'not_found' })
  const gone = await invited('Gone')
  await setBanned(ada, { userId: gone.userId, banned: true, reason: REASON })
  await expect(people.accept(gone.secret)).rejects.toMatchObject({ code: 'not_found' })
  await expect(inviteAgain(ada, { userId: gone.userId, reason: REASON })).rejects.toThrow('locked out')
})

test('only an administrator invites; an email and a name are taken once, however they are written', async () => {
  const asked = { email: 'Mixed.Case@Test.local', name: 'Mixed  Case', reason: REASON }
  await expect(invite(await people.as('Once'), asked)).rejects.toMatchObject({ code: 'forbidden' })
  const made = await invite(await people.as('Ada'), asked)
  expect(made.email).toBe('mixed.case@test.local')
  await expect(invite(await people.as('Ada'), asked)).rejects.toMatchObject({ code: 'conflict' })
  for (const name of ['mixed case', 'ADA', 'Ａda']) {
    await expect(
      invite(await people.as('Ada'), { ...asked, email: `${name.length}@x.org`, name }),
    ).rejects.toMatchObject({ code: 'conflict' })
  }
  for (const name of ['system:setup', 'Ad\u202ea', 'Ad\u200ba', '', ' ']) {
    await expect(invite(await people.as('Ada'), { ...asked, email: 'y@x.org', name })).rejects.toThrow()
  }
})

test('a name is changed by an administrator, and that is audited', async () => {
  await people.fromHost('Carl', 'operator')
  const { userId } = await people.as('Carl')
  const change = { userId, name: 'Karl', reason: REASON }
  await expect(renameUser(await people.as('Carl'), change)).rejects.toMatchObject({ code: 'forbidden' })
  await expect(renameUser(await people.as('Ada'), { ...change, name: 'bob' })).rejects.toMatchObject({
    code: 'conflict',
  })
  await renameUser(await people.as('Ada'), change)
  const entry = await console.db.prisma.auditEntry.findFirstOrThrow({ where: { verb: 'user.rename' } })
  expect(entry).toMatchObject({
    subject: userId,
    actor: 'Ada',
    before: { name: 'Carl' },
    after: { name: 'Karl' },
  })
})

test('a lost password is replaced by its person: sessions end, and tokens, which the holder of the link may have made', async () => {
  await people.fromHost('Dora', 'operator')
  const cookie = await signIn('Dora')
  const { token } = await mintOwnToken(await people.as('Dora'), { name: 'old' })
  const { userId } = await people.as('Dora')
  await expect(
    inviteAgain(await people.as('Ada'), { userId: (await people.as('Ada')).userId, reason: REASON }),
  ).rejects.toThrow('your own')
  const { secret } = await inviteAgain(await people.as('Ada'), { userId, reason: REASON })
  // Until the link is used the old password goes on.
  expect(await actorOf(cookie)).not.toBeNull()
  await people.accept(secret, 'a new one that is long')
  expect(await actorOf(cookie)).toBeNull()
  expect(await createTokenVerifier(console.db, clock)(token)).toBeNull()
  expect(await signIn('Dora')).toBe('')
  expect(await actorOf(await signIn('Dora', 'a new one that is long'))).toMatchObject({ userId })
})

test('the host invites with any role, and its link ends what others held', async () => {
  const first = await inviteFromHost(console.db, clock, {
    email: 'second@test.local',
    name: 'Second',
    role: 'admin',
  })
  await people.accept(first.secret)
  expect(await people.as('Second')).toMatchObject({ actor: { role: 'admin' } })
  expect(await people.codeOf('Second')).toBe('')
  const held = await invited('Held')
  await people.accept(held.secret)
  const { token } = await mintOwnToken(await people.as('Held'), { name: 'made by who knows whom' })
  const again = await inviteFromHost(console.db, clock, { email: emailOf('Held'), role: 'operator' })
  await people.accept(again.secret)
  expect(
    await console.db.prisma.principalLink.count({ where: { principalId: again.userId, holds: true } }),
  ).toBe(0)
  expect(await people.as('Held')).toMatchObject({ actor: { role: 'operator' } })
  expect(await people.codeOf('Held')).toBe('')
  expect(await createTokenVerifier(console.db, clock)(token)).toBeNull()
  const entries = await console.db.prisma.auditEntry.findMany({ where: { actor: 'system:host' } })
  expect(entries.map(({ verb }) => verb).sort()).toEqual([
    'user.create',
    'user.invite_again',
    'user.set_role',
  ])
  await expect(
    inviteFromHost(console.db, clock, { email: 'third@test.local', role: 'viewer' }),
  ).rejects.toThrow('name')
})

test('a new password ends the other sessions, and five wrong ones end the one that guesses', async () => {
  await people.fromHost('Eve', 'operator')
  const [here, there] = [await signIn('Eve'), await signIn('Eve')]
  const session = await readSession(auth, new Headers({ cookie: here }))
  const sessionId = session?.sessionId ?? ''
  const eve = { ...(await people.as('Eve')), endOpenRequests }
  const next = 'a longer password'
  await expect(changeOwnPassword(eve, { sessionId, current: PASSWORD, next: 'short' })).rejects.toThrow('12')
  await changeOwnPassword(eve, { sessionId, current: PASSWORD, next })
  expect([await actorOf(here), await actorOf(there)]).toMatchObject([{ name: 'Eve' }, null])
  for (let n = 0; n < 4; n++) {
    await expect(changeOwnPassword(eve, { sessionId, current: `guess ${n}`, next })).rejects.toMatchObject({
      code: 'unprocessable',
    })
  }
  await expect(changeOwnPassword(eve, { sessionId, current: next, next: PASSWORD })).rejects.toMatchObject({
    code: 'rate_limited',
  })
  expect(await actorOf(here)).toBeNull()
  expect(await actorOf(await signIn('Eve', next))).toMatchObject({ name: 'Eve' })
})

test('a person ends one session of theirs, or all others, and no stranger’s', async () => {
  await people.fromHost('Fay', 'operator')
  const cookies = [await signIn('Fay'), await signIn('Fay'), await signIn('Fay')]
  const [fay, eve] = [await people.as('Fay'), await people.as('Eve')]
  const here = (await readSession(auth, new Headers({ cookie: cookies[0] ?? '' })))?.sessionId ?? ''
  const one = (await readSession(auth, new Headers({ cookie: cookies[1] ?? '' })))?.sessionId ?? ''
  expect(await endSessions(eve, { id: one })).toBe(0)
  expect(await endSessions(fay, { id: one })).toBe(1)
  // better-auth ends sessions by the machine's clock.
  expect((await listSessions(console.db, { userId: fay.userId, ownId: '' }, new Date())).total).toBe(2)
  expect(await endSessions(fay, { allBut: here })).toBe(1)
  expect(await Promise.all(cookies.map(actorOf))).toMatchObject([{ name: 'Fay' }, null, null])
})

test('the session that asks is in the list, however many were used later', async () => {
  await people.fromHost('Gus', 'operator')
  const cookie = await signIn('Gus')
  const gus = await people.as('Gus')
  const ownId = (await readSession(auth, new Headers({ cookie })))?.sessionId ?? ''
  const later = new Date(Date.now() + 60_000)
  await console.db.prisma.session.createMany({
    data: Array.from({ length: 60 }, (_, n) => ({
      id: `later-${n}`,
      token: `later-${n}`,
      userId: gus.userId,
      expiresAt: new Date(Date.now() + 3_600_000),
      createdAt: later,
      updatedAt: later,
    })),
  })
  const { items, total } = await listSessions(console.db, { userId: gus.userId, ownId }, new Date())
  expect([items[0]?.id, items.length, total]).toEqual([ownId, 51, 61])
})

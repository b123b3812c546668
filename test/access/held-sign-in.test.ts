import { afterAll, beforeAll, expect, test } from 'vitest'
import { changeOwnPassword } from '@/lib/access/accounts/change-password'
import { confirmAccount } from '@/lib/access/accounts/confirm'
import { inviteAgain } from '@/lib/access/accounts/invite'
import { inviteFromHost } from '@/lib/access/accounts/invite-from-host'
import { createAuth } from '@/lib/access/auth'
import { sessionActor } from '@/lib/access/session-actor'
import { setBanned } from '@/lib/access/set-banned'
import { FORWARDED_HEADER, PEER_HEADER } from '@/lib/access/sign-in/client-address'
import { passwordMatches } from '@/lib/access/sign-in/hashing'
import { createTokenVerifier, mintOwnToken } from '@/lib/access/tokens'
import { assertFourEyes } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { endOpenRequests } from '@/lib/actions/end-open-requests'
import { readKillSwitch, setKillSwitch } from '@/lib/actions/kill-switch'
import { manualClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { emailOf, PASSWORD, peopleOf, REASON } from './people'

/** A sign-in, a token or a change of the password by who had it before, under way when its person shuts that out. */

const ORIGIN = 'http://localhost:3000'
const LOCK = 8_471
const NEXT = 'another long one'
let n = 0
const clock = manualClock('2026-01-01T00:00:00Z')
let console: TestDatabase
let people: ReturnType<typeof peopleOf>

const signInAs = (name: string) =>
  new Request(`${ORIGIN}/api/auth/sign-in/email`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      origin: ORIGIN,
      [PEER_HEADER]: '203.0.113.7',
      [FORWARDED_HEADER]: '0',
    },
    body: JSON.stringify({ email: emailOf(name), password: PASSWORD }),
  })

beforeAll(async () => {
  console = await createTestDatabase()
  people = peopleOf(console.db, clock)
  await people.fromHost('Ada', 'admin')
  // The password was found right; the session is written when the test lets it be.
  await console.db.pool.query(`
    CREATE FUNCTION wait_for_test() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock_shared(${LOCK}); RETURN NEW; END $$;
    CREATE TRIGGER wait BEFORE INSERT ON session FOR EACH ROW EXECUTE FUNCTION wait_for_test()`)
})
afterAll(() => console.close())

/** Begins work, and returns once it waits in a trigger for the test, which lets it go on. */
async function held<T>(begin: () => Promise<T>): Promise<{ work: Promise<T>; letGo: () => Promise<void> }> {
  const blocker = await console.db.pool.connect()
  await blocker.query('SELECT pg_advisory_lock($1)', [LOCK])
  const work = begin()
  await expect
    .poll(async () => {
      const waiting = `SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted`
      return (await console.db.pool.query(waiting, [LOCK])).rows.length
    })
    .toBe(1)
  const letGo = async () => {
    await blocker.query('SELECT pg_advisory_unlock($1)', [LOCK])
    blocker.release()
  }
  return { work, letGo }
}

/** What comes beside the work that is held has ended, or waits behind it. */
async function endedOrWaiting(beside: Promise<unknown>): Promise<void> {
  let ended = false
  const end = () => {
    ended = true
  }
  beside.then(end, end)
  await expect
    .poll(async () => {
      const waiting = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`
      return ended || (await console.db.pool.query(waiting)).rows.length > 1
    })
    .toBe(true)
}

type Person = { userId: string; secret: string; sessionId: string }

test.each<[string, (person: Person) => Promise<unknown>]>([
  ['sets a password by a link', ({ secret }) => people.accept(secret, NEXT)],
  [
    'changes it',
    async ({ sessionId }) =>
      changeOwnPassword(
        { ...(await people.as('Carl 2')), endOpenRequests },
        { sessionId, current: PASSWORD, next: NEXT },
      ),
  ],
  [
    'is locked out',
    async ({ userId }) => setBanned(await people.as('Ada'), { userId, banned: true, reason: REASON }),
  ],
])('a sign-in opens nothing when its person meanwhile %s', async (what, change) => {
  const name = `Carl ${++n}`
  const auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: ORIGIN })
  const { userId } = await people.invited('Ada', name)
  const { secret } = await inviteAgain(await people.as('Ada'), { userId, reason: REASON })
  const { work: signingIn, letGo } = await held(() => auth.handler(signInAs(name)))
  await change({ userId, secret, sessionId: 'another' })
  await letGo()
  const answer = await signingIn
  expect([what, answer.status, answer.headers.getSetCookie()]).toEqual([what, 401, []])
  expect(await console.db.prisma.session.count({ where: { userId } })).toBe(0)
})

test('a change of the password that is under way does not undo the one that its person sets by a link', async () => {
  const { userId, ...before } = await people.invited('Ada', 'Eve')
  const { secret } = await inviteFromHost(console.db, clock, { email: emailOf('Eve') })
  // Whoever comes first to write a password waits for the test.
  await console.db.pool.query(`
    CREATE FUNCTION wait_if_first() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF pg_try_advisory_lock(${LOCK + 1}) THEN PERFORM pg_advisory_xact_lock_shared(${LOCK}); END IF;
        RETURN NULL;
      END $$;
    CREATE TRIGGER wait BEFORE UPDATE ON account FOR EACH STATEMENT EXECUTE FUNCTION wait_if_first()`)
  const known = 'known to its inviter'
  const { work: changing, letGo } = await held(() =>
    changeOwnPassword({ ...before, endOpenRequests }, { sessionId: 'old', current: PASSWORD, next: known }),
  )
  const accepting = people.accept(secret, NEXT)
  await endedOrWaiting(accepting)
  await letGo()
  await Promise.allSettled([changing, accepting])
  await console.db.pool.query('DROP TRIGGER wait ON account')
  const { password } = await console.db.prisma.account.findFirstOrThrow({ where: { userId } })
  const opens = (given: string) => passwordMatches(password ?? '', given)
  expect([await opens(known), await opens(NEXT)]).toEqual([false, true])
})

/** Somebody in a session that was signed in with the password of whoever held the account. */
async function inSession(name: string) {
  const auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: ORIGIN })
  const signedIn = await auth.handler(signInAs(name))
  const cookie = signedIn.headers.getSetCookie().map((each) => each.split(';', 1)[0])
  const actor = await sessionActor(auth, new Headers({ cookie: cookie.join('; ') }))
  if (actor === null) throw new Error('nobody is signed in')
  return { ...(await people.as(name)), actor }
}

test('a confirmation that is under way does not count as of the person who takes the account over', async () => {
  const { userId } = await people.invited('Ada', 'Ida')
  const puppet = await people.invited('Ada', 'Jon')
  await console.db.prisma.user.update({ where: { id: userId }, data: { role: 'admin' } })
  const asked = await inSession('Ida')
  const code = await people.codeOf('Jon')
  const confirming = () => confirmAccount(asked, { userId: puppet.userId, code, reason: REASON })
  await expect(confirming()).rejects.toThrow('may be behind your account')
  const { secret } = await inviteFromHost(console.db, clock, { email: emailOf('Ida') })
  await people.accept(secret, NEXT)
  await expect(confirming()).rejects.toThrow('has ended')
})

test('nor does one by a token that is still remembered', async () => {
  const { userId } = await people.invited('Ada', 'Mia')
  const puppet = await people.invited('Ada', 'Ned')
  await console.db.prisma.user.update({ where: { id: userId }, data: { role: 'admin' } })
  const verify = createTokenVerifier(console.db, clock)
  const { token } = await mintOwnToken(await people.as('Mia'), { name: 'kept' })
  const code = await people.codeOf('Ned')
  const confirming = async () => {
    const actor = await verify(token)
    if (actor === null) throw new Error('the token is not known')
    return confirmAccount(
      { ...(await people.as('Mia')), actor },
      { userId: puppet.userId, code, reason: REASON },
    )
  }
  await expect(confirming()).rejects.toThrow('may be behind your account')
  const { secret } = await inviteFromHost(console.db, clock, { email: emailOf('Mia') })
  await people.accept(secret, NEXT)
  await expect(confirming()).rejects.toThrow('This token was revoked, or has ended')
  expect(await people.codeOf('Ned')).toBe(code)
})

test('an approval that is under way does not count as of the person who takes the account over', async () => {
  const { userId } = await people.invited('Ada', 'Fred')
  const proposer = await people.fromHost('Gil', 'admin')
  await console.db.prisma.user.update({ where: { id: userId }, data: { role: 'approver' } })
  const asked = await inSession('Fred')
  const puppet = await people.invited('Ada', 'Hal')
  await console.db.prisma.user.update({ where: { id: puppet.userId }, data: { role: 'operator' } })
  const approving = (proposerId: string) => assertFourEyes(asked, { proposerId })
  expect(await approving(proposer.userId)).toBe(userId)
  await expect(approving(puppet.userId)).rejects.toThrow('may be behind both')
  const { secret } = await inviteFromHost(console.db, clock, { email: emailOf('Fred') })
  await people.accept(secret, NEXT)
  // Ada, who is behind the other one, held this one and is signed in to it, would be two people from now on.
  await expect(approving(puppet.userId)).rejects.toThrow('has ended')
})

test('a token that is being made ends with the account’s others when its person takes it over', async () => {
  const { userId } = await people.invited('Ada', 'Kim')
  const { actor, ...asked } = await inSession('Kim')
  const { secret } = await inviteFromHost(console.db, clock, { email: emailOf('Kim') })
  await console.db.pool.query(
    'CREATE TRIGGER wait BEFORE INSERT ON apikey FOR EACH ROW EXECUTE FUNCTION wait_for_test()',
  )
  const { work: minting, letGo } = await held(() =>
    mintOwnToken({ ...asked, actor }, { name: 'kept', sessionId: actor.sessionId }),
  )
  const accepting = people.accept(secret, NEXT)
  await endedOrWaiting(accepting)
  await letGo()
  await Promise.all([minting, accepting])
  await console.db.pool.query('DROP TRIGGER wait ON apikey')
  expect(await console.db.prisma.apikey.count({ where: { referenceId: userId, enabled: true } })).toBe(0)
})

test('what was proposed by an account is not its person’s, once they take it over', async () => {
  const { userId } = await people.invited('Ada', 'Lea')
  await console.db.prisma.user.update({ where: { id: userId }, data: { role: 'approver' } })
  await setKillSwitch(await people.as('Lea'), { on: true, reason: REASON })
  expect((await setKillSwitch(await people.as('Lea'), { on: false, reason: REASON })).pending).not.toBeNull()
  const proposed = await createAction(console.db.prisma as never, await people.as('Lea'), {
    kind: 'refund',
    state: 'proposed',
    reason: REASON,
  })
  const { secret } = await inviteFromHost(console.db, clock, { email: emailOf('Lea') })
  await people.accept(secret, NEXT)
  const { state, proposerId } = await console.db.prisma.action.findUniqueOrThrow({
    where: { id: proposed.id },
  })
  expect([state, proposerId]).toEqual(['rejected', userId])
  const traces = await console.db.prisma.auditEntry.findMany({ where: { subject: proposed.id } })
  expect(traces).toMatchObject([{ verb: 'action.end', outcome: 'rejected', actor: 'Lea' }])
  expect(await readKillSwitch(console.db)).toMatchObject({ on: true, pending: null })
})

test('a token is not made by a session that has ended', async () => {
  const { userId, ...dora } = await people.fromHost('Dora', 'operator')
  const auth = createAuth({ db: console.db, clock, secret: 's'.repeat(40), baseUrl: ORIGIN })
  expect((await auth.handler(signInAs('Dora'))).status).toBe(200)
  const { id: sessionId } = await console.db.prisma.session.findFirstOrThrow({ where: { userId } })
  expect(await mintOwnToken(dora, { name: 'one', sessionId })).toMatchObject({ userId })
  await console.db.prisma.session.delete({ where: { id: sessionId } })
  await expect(mintOwnToken(dora, { name: 'two', sessionId })).rejects.toThrow('This session has ended')
})

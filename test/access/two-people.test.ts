import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { confirmAccount } from '@/lib/access/accounts/confirm'
import { inviteAgain } from '@/lib/access/accounts/invite'
import { inviteFromHost } from '@/lib/access/accounts/invite-from-host'
import { renameUser } from '@/lib/access/accounts/rename'
import { lowerRole } from '@/lib/access/lower-role'
import { setBanned } from '@/lib/access/set-banned'
import { mintToken } from '@/lib/access/tokens'
import { assertFourEyes } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { approveRoleRaise, proposeRoleRaise } from '@/lib/actions/role-raise'
import { transition } from '@/lib/actions/transition'
import type { Context } from '@/lib/context'
import { manualClock } from '@/lib/core/clock'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { emailOf, peopleOf, REASON } from './people'

/** Who may approve what whom proposed. Each test has administrators of its own, whom the host made. */

let console: TestDatabase
let people: ReturnType<typeof peopleOf>
const clock = manualClock('2026-01-01T00:00:00Z')
let n = 0
/** Names of this test alone. */
const named = (name: string) => `${name} ${n}`
const [ada, bob, carl, dora, eve] = ['Ada', 'Bob', 'Carl', 'Dora', 'Eve'].map(
  (name) => () => named(name),
) as [() => string, () => string, () => string, () => string, () => string]

beforeAll(async () => {
  console = await createTestDatabase()
  people = peopleOf(console.db, clock)
})
beforeEach(async () => {
  n += 1
  await people.fromHost(ada(), 'admin')
  await people.fromHost(bob(), 'admin')
})
afterAll(() => console.close())

const proposal = (ctx: Context) =>
  console.db.prisma.$transaction((tx) =>
    createAction(tx, ctx, {
      kind: 'refund',
      state: 'proposed',
      reason: REASON,
      provider: 'p',
      charge: randomUUID(),
    }),
  )

/** Tries it in the code and, whatever that says, in the database. */
async function approves(proposer: Context, approver: Context): Promise<string> {
  const action = await proposal(proposer)
  const byCode = await assertFourEyes(approver, action).then(
    () => 'yes',
    (error) => String(error.meta?.fault ?? error.message),
  )
  const approverId = approver.actor.kind === 'user' ? approver.actor.userId : ''
  const byDatabase = await console.db.prisma
    .$transaction((tx) =>
      transition(tx, { id: action.id, from: ['proposed'], to: 'approved', patch: { approverId } }),
    )
    .then(
      () => true,
      (error) => !String(error).includes('action_four_eyes'),
    )
  expect(byDatabase, `the database on ${byCode}`).toBe(byCode === 'yes')
  return byCode
}

test('two people whom the host made approve each other’s proposals, and nobody their own', async () => {
  const [one, other] = [await people.as(ada()), await people.as(bob())]
  expect(await approves(one, other)).toBe('yes')
  expect(await approves(other, one)).toBe('yes')
  expect(await approves(one, one)).toBe('own')
})

test('who invited an account counts as it: they approve nothing of each other', async () => {
  await people.invited(ada(), carl())
  await people.raised(carl(), 'approver', ada(), bob())
  const [inviter, invited] = [await people.as(ada()), await people.as(carl())]
  expect(await approves(inviter, invited)).toBe('held')
  expect(await approves(invited, inviter)).toBe('held')
})

test('an account that an invited account invited goes back to the first inviter', async () => {
  await people.invited(ada(), carl())
  await people.raised(carl(), 'admin', ada(), bob())
  await people.invited(carl(), dora())
  await people.raised(dora(), 'approver', ada(), bob())
  expect(await approves(await people.as(ada()), await people.as(dora()))).toBe('held')
  expect(await approves(await people.as(carl()), await people.as(dora()))).toBe('held')
})

test('two accounts that one person invited are not two people, until a second administrator confirms one', async () => {
  await people.invited(ada(), carl())
  await people.invited(ada(), dora())
  await people.raised(carl(), 'operator', ada(), bob())
  await people.raised(dora(), 'approver', ada(), bob())
  const pair = async () => approves(await people.as(carl()), await people.as(dora()))
  expect(await pair()).toBe('held')
  await people.confirmed(dora(), bob())
  expect(await pair()).toBe('yes')
  // Who invited, raised or confirmed still counts as the account where they act themselves.
  for (const admin of [ada(), bob()]) {
    expect(await approves(await people.as(admin), await people.as(dora())), admin).toBe('changed')
    expect(await approves(await people.as(dora()), await people.as(admin)), admin).toBe('changed')
  }
})

test('accounts of two inviters are two people', async () => {
  await people.invited(ada(), carl())
  await people.invited(bob(), dora())
  await people.raised(carl(), 'operator', ada(), bob())
  await people.raised(dora(), 'approver', ada(), bob())
  expect(await approves(await people.as(carl()), await people.as(dora()))).toBe('yes')
})

test('who was confirmed counts as two people with strangers; whom they invite still goes back to their own inviter', async () => {
  await people.invited(ada(), carl())
  await people.raised(carl(), 'admin', ada(), bob())
  await people.confirmed(carl(), bob())
  await people.invited(carl(), dora())
  await people.fromHost(eve(), 'admin')
  await people.raised(dora(), 'approver', carl(), eve())
  const approver = await people.as(dora())
  expect(await approves(await people.as(ada()), approver)).toBe('changed')
  expect(await approves(await people.as(carl()), approver)).toBe('held')
  await people.fromHost(`Fred ${n}`, 'operator')
  expect(await approves(await people.as(`Fred ${n}`), approver)).toBe('yes')
})

test('an account is confirmed by somebody else than who may be behind it, with the code that it alone sees', async () => {
  await people.invited(ada(), carl())
  await people.invited(ada(), eve())
  await people.raised(eve(), 'admin', ada(), bob())
  await expect(people.confirmed(carl(), ada())).rejects.toMatchObject({ code: 'forbidden' })
  await expect(people.confirmed(carl(), eve())).rejects.toMatchObject({
    code: 'forbidden',
    message: expect.stringContaining(ada()),
  })
  const code = await people.codeOf(carl())
  expect(code).toMatch(/^[A-Z2-9]{4}-[A-Z2-9]{4}$/)
  const { userId } = await people.as(carl())
  await console.db.prisma.user.update({ where: { id: userId }, data: { confirmCode: 'AAAA-AAAA' } })
  await expect(
    confirmAccount(await people.as(bob()), { userId, code, reason: REASON }),
  ).rejects.toMatchObject({ code: 'unprocessable' })
  await confirmAccount(await people.as(bob()), { userId, code: ' aaaa-aaaa ', reason: REASON })
  expect(await people.codeOf(carl())).toBe('')
})

test('confirming an account voids the links that are still open', async () => {
  await people.invited(ada(), carl())
  const { userId } = await people.as(carl())
  const { secret } = await inviteAgain(await people.as(ada()), { userId, reason: REASON })
  await console.db.prisma.user.update({ where: { id: userId }, data: { confirmCode: 'ABCD-EFGH' } })
  await people.confirmed(carl(), bob())
  await expect(people.accept(secret)).rejects.toMatchObject({ code: 'not_found' })
})

test('an account that an administrator may be behind does not approve what an unowned token proposed', async () => {
  await people.invited(ada(), carl())
  await people.raised(carl(), 'approver', ada(), bob())
  const { userId, tokenId } = await mintToken(console.db, clock, { role: 'operator', name: 'bot' })
  const actor = { kind: 'user', userId, name: 'bot', role: 'operator', via: 'token', tokenId } as const
  const service = { ...(await people.as(ada())), actor }
  expect(await approves(service, await people.as(carl()))).toBe('unowned')
  await people.confirmed(carl(), bob())
  expect(await approves(service, await people.as(carl()))).toBe('yes')
})

test('who resets a password is behind the account from then on, before the link is used', async () => {
  await people.fromHost(carl(), 'approver')
  expect(await approves(await people.as(ada()), await people.as(carl()))).toBe('yes')
  const { secret } = await inviteAgain(await people.as(ada()), {
    userId: (await people.as(carl())).userId,
    reason: REASON,
  })
  expect(await approves(await people.as(ada()), await people.as(carl()))).toBe('held')
  await people.accept(secret)
  expect(await approves(await people.as(ada()), await people.as(carl()))).toBe('held')
  expect(await approves(await people.as(bob()), await people.as(carl()))).toBe('yes')
})

test.each([
  ['raised', (userId: string) => people.raised(carl(), 'approver', ada(), bob()).then(() => userId)],
  [
    'renamed',
    async (userId: string) =>
      renameUser(await people.as(ada()), { userId, name: `${carl()} again`, reason: REASON }),
  ],
  [
    'let in',
    async (userId: string) => {
      await setBanned(await people.as(ada()), { userId, banned: true, reason: REASON })
      await setBanned(await people.as(ada()), { userId, banned: false, reason: REASON })
    },
  ],
])('who %s an account counts as it', async (how, touch) => {
  await people.fromHost(carl(), how === 'raised' ? 'operator' : 'approver')
  const { userId } = await people.as(carl())
  await touch(userId)
  const { name } = await console.db.prisma.user.findUniqueOrThrow({ where: { id: userId } })
  expect(await approves(await people.as(ada()), await people.as(name))).toBe('changed')
  expect(await approves(await people.as(name), await people.as(ada()))).toBe('changed')
})

test('locking out and lowering a role leave no trace in four eyes', async () => {
  await people.fromHost(carl(), 'admin')
  const { userId } = await people.as(carl())
  await lowerRole(await people.as(ada()), { userId, role: 'approver', reason: REASON })
  expect(await approves(await people.as(ada()), await people.as(carl()))).toBe('yes')
})

test('the owner of a token counts as its service; without an owner every administrator does', async () => {
  await people.fromHost(carl(), 'approver')
  const owner = (await console.db.prisma.user.findFirstOrThrow({ where: { name: carl() } })).email
  const service = async (given: { owner?: string }) => {
    const { userId, tokenId } = await mintToken(console.db, clock, {
      role: 'operator',
      name: 'bot',
      ...given,
    })
    const actor = { kind: 'user', userId, name: 'bot', role: 'operator', via: 'token', tokenId } as const
    return { ...(await people.as(ada())), actor }
  }
  const owned = await service({ owner })
  expect(await approves(owned, await people.as(carl()))).toBe('held')
  expect(await approves(owned, await people.as(bob()))).toBe('yes')
  const unowned = await service({})
  expect(await approves(unowned, await people.as(bob()))).toBe('unowned')
  expect(await approves(unowned, await people.as(carl()))).toBe('yes')
})

/** A token of the command line without an owner, and the service that acts by it. */
async function unownedService() {
  const { userId, tokenId } = await mintToken(console.db, clock, { role: 'operator', name: 'bot' })
  const actor = { kind: 'user', userId, name: 'bot', role: 'operator', via: 'token', tokenId } as const
  return { ...(await people.as(ada())), actor }
}

test('an administrator who was lowered since approves nothing of an unowned token', async () => {
  await people.fromHost(carl(), 'admin')
  const { userId } = await people.as(carl())
  const service = await unownedService()
  expect(await approves(service, await people.as(carl()))).toBe('unowned')
  clock.advance(1_000)
  await lowerRole(await people.as(ada()), { userId, role: 'approver', reason: REASON })
  expect(await approves(service, await people.as(carl()))).toBe('unowned')
  // What was made when they were no administrator any more can be theirs as little as anybody's.
  clock.advance(1_000)
  expect(await approves(await unownedService(), await people.as(carl()))).toBe('yes')
})

test('nor does one whom the host lowered, nor an account that such a person is behind', async () => {
  await people.fromHost(carl(), 'admin')
  await people.invited(carl(), dora())
  await people.raised(dora(), 'approver', ada(), bob())
  const service = await unownedService()
  clock.advance(1_000)
  await inviteFromHost(console.db, clock, { email: emailOf(carl()), role: 'approver' })
  expect(await approves(service, await people.as(carl()))).toBe('unowned')
  expect(await approves(service, await people.as(dora()))).toBe('unowned')
  await people.confirmed(dora(), bob())
  expect(await approves(service, await people.as(dora()))).toBe('yes')
})

test('a new name changes nothing of who somebody is', async () => {
  await people.fromHost(carl(), 'admin')
  const { userId } = await people.as(carl())
  const service = await unownedService()
  clock.advance(1_000)
  await lowerRole(await people.as(ada()), { userId, role: 'approver', reason: REASON })
  await renameUser(await people.as(ada()), { userId, name: eve(), reason: REASON })
  expect(await approves(service, await people.as(eve()))).toBe('unowned')
})

test('what a service proposed is not approved once its owner was locked out, or may not propose any more', async () => {
  await people.fromHost(carl(), 'operator')
  const owner = await people.as(carl())
  const { userId } = await mintToken(console.db, clock, {
    role: 'operator',
    name: 'bot',
    owner: emailOf(carl()),
  })
  const approve = async () => assertFourEyes(await people.as(bob()), { proposerId: userId })
  expect(await approve()).toBe((await people.as(bob())).userId)
  await lowerRole(await people.as(ada()), { userId: owner.userId, role: 'viewer', reason: REASON })
  await expect(approve()).rejects.toMatchObject({ code: 'forbidden', meta: { fault: 'lowered' } })
  await setBanned(await people.as(ada()), { userId: owner.userId, banned: true, reason: REASON })
  await expect(approve()).rejects.toMatchObject({ code: 'forbidden', meta: { fault: 'locked_out' } })
})

test('a role that an administrator proposed is not raised once they are none any more', async () => {
  await people.fromHost(carl(), 'admin')
  await people.fromHost(dora(), 'viewer')
  const { userId } = await people.as(dora())
  const raise = await proposeRoleRaise(await people.as(carl()), { userId, role: 'admin', reason: REASON })
  await lowerRole(await people.as(ada()), {
    userId: (await people.as(carl())).userId,
    role: 'approver',
    reason: REASON,
  })
  const agree = { actionId: raise.id, evidenceHash: raise.evidenceHash ?? '' }
  await expect(approveRoleRaise(await people.as(bob()), agree)).rejects.toMatchObject({
    code: 'forbidden',
    meta: { fault: 'lowered' },
  })
})

test('who was locked out or lowered a moment ago does not approve, though a token still remembers them', async () => {
  await people.fromHost(carl(), 'approver')
  const stale = await people.as(carl())
  await lowerRole(await people.as(ada()), { userId: stale.userId, role: 'operator', reason: REASON })
  await expect(assertFourEyes(stale, { proposerId: (await people.as(bob())).userId })).rejects.toMatchObject({
    code: 'forbidden',
    meta: { roleNeeded: 'approver' },
  })
  await setBanned(await people.as(ada()), { userId: stale.userId, banned: true, reason: REASON })
  await expect(assertFourEyes(stale, { proposerId: (await people.as(bob())).userId })).rejects.toThrow(
    'session',
  )
})

test('what a person proposed who is locked out since then is not approved', async () => {
  await people.fromHost(carl(), 'operator')
  const proposer = await people.as(carl())
  await setBanned(await people.as(ada()), { userId: proposer.userId, banned: true, reason: REASON })
  await expect(assertFourEyes(await people.as(bob()), { proposerId: proposer.userId })).rejects.toMatchObject(
    {
      code: 'forbidden',
      meta: { fault: 'locked_out' },
    },
  )
})

test('the console’s own proposals, and jobs, are no people', async () => {
  await expect(assertFourEyes(await people.as(ada()), { proposerId: null })).rejects.toThrow(
    'Only what a person',
  )
  const job = { db: console.db, actor: { kind: 'system', job: 'j' } } as const
  await expect(assertFourEyes(job, { proposerId: (await people.as(ada())).userId })).rejects.toThrow('person')
})

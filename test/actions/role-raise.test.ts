import { afterAll, beforeAll, expect, test } from 'vitest'
import { lowerRole } from '@/lib/access/lower-role'
import { mintToken } from '@/lib/access/tokens'
import { setKillSwitch } from '@/lib/actions/kill-switch'
import {
  approveRoleRaise,
  proposeRoleRaise,
  rejectRoleRaise,
  withdrawRoleRaise,
} from '@/lib/actions/role-raise'
import { manualClock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import { peopleOf, REASON } from '../access/people'
import { createTestDatabase, type TestDatabase } from '../support/database'

let console: TestDatabase
let people: ReturnType<typeof peopleOf>
const clock = manualClock('2026-01-01T00:00:00Z')

beforeAll(async () => {
  console = await createTestDatabase()
  people = peopleOf(console.db, clock)
  await people.fromHost('Ada', 'admin')
  await people.fromHost('Bob', 'admin')
  await people.fromHost('Anna', 'approver')
})
afterAll(() => console.close())

const propose = async (by: string, name: string, role: Role) =>
  proposeRoleRaise(await people.as(by), { userId: (await people.as(name)).userId, role, reason: REASON })
const approve = async (by: string, { id, evidenceHash }: { id: string; evidenceHash: string | null }) =>
  approveRoleRaise(await people.as(by), { actionId: id, evidenceHash: evidenceHash ?? '' })
const roleOf = async (name: string) => (await people.as(name)).actor

test('a role is raised by two administrators, and holds only then', async () => {
  await people.invited('Ada', 'Carl')
  const action = await propose('Ada', 'Carl', 'approver')
  expect(await roleOf('Carl')).toMatchObject({ role: 'viewer' })
  await expect(approve('Ada', action)).rejects.toMatchObject({ code: 'forbidden', meta: { fault: 'own' } })
  await expect(approve('Anna', action)).rejects.toMatchObject({ meta: { roleNeeded: 'admin' } })
  await expect(approve('Bob', { ...action, evidenceHash: 'other' })).rejects.toMatchObject({
    code: 'conflict',
  })
  const both = await Promise.allSettled([approve('Bob', action), approve('Bob', action)])
  expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  expect(await roleOf('Carl')).toMatchObject({ role: 'approver' })
  const { userId } = await people.as('Carl')
  const entry = await console.db.prisma.auditEntry.findFirstOrThrow({
    where: { subject: userId, verb: 'user.set_role' },
  })
  expect(entry).toMatchObject({ actor: 'Bob', before: { role: 'viewer' }, after: { role: 'approver' } })
})

test('an administrator whom the proposer invited is no second one', async () => {
  await people.invited('Ada', 'Eve')
  await people.raised('Eve', 'admin', 'Ada', 'Bob')
  await people.invited('Ada', 'Dora')
  const action = await propose('Ada', 'Dora', 'operator')
  await expect(approve('Eve', action)).rejects.toMatchObject({ code: 'forbidden', meta: { fault: 'held' } })
})

test('a raise is approved as it was looked at: not once the account has changed', async () => {
  await people.fromHost('Fay', 'operator')
  const action = await propose('Ada', 'Fay', 'admin')
  await lowerRole(await people.as('Bob'), {
    userId: (await people.as('Fay')).userId,
    role: 'viewer',
    reason: REASON,
  })
  await expect(approve('Bob', action)).rejects.toMatchObject({
    code: 'conflict',
    meta: { reason: 'stale_evidence' },
  })
})

test('it is rejected by an administrator, withdrawn by its proposer, and waits once', async () => {
  await people.fromHost('Gus', 'viewer')
  const first = await propose('Ada', 'Gus', 'operator')
  await expect(propose('Bob', 'Gus', 'approver')).rejects.toMatchObject({ code: 'conflict' })
  const decision = { actionId: first.id, reason: REASON }
  await expect(withdrawRoleRaise(await people.as('Bob'), decision)).rejects.toMatchObject({
    code: 'forbidden',
  })
  await expect(rejectRoleRaise(await people.as('Anna'), decision)).rejects.toMatchObject({
    code: 'forbidden',
  })
  expect(await withdrawRoleRaise(await people.as('Ada'), decision)).toMatchObject({ state: 'rejected' })
  const second = await propose('Ada', 'Gus', 'operator')
  expect(
    await rejectRoleRaise(await people.as('Bob'), { actionId: second.id, reason: REASON }),
  ).toMatchObject({
    state: 'rejected',
  })
  expect(await roleOf('Gus')).toMatchObject({ role: 'viewer' })
})

test('only more is a raise; one administrator lowers a role at once, also while writes are off', async () => {
  await people.fromHost('Hal', 'approver')
  const { userId } = await people.as('Hal')
  await expect(propose('Ada', 'Hal', 'operator')).rejects.toMatchObject({ code: 'unprocessable' })
  const ada = await people.as('Ada')
  await expect(lowerRole(ada, { userId, role: 'admin', reason: REASON })).rejects.toThrow(
    'second administrator',
  )
  const action = await propose('Ada', 'Hal', 'admin')
  await setKillSwitch(ada, { on: true, reason: REASON })
  await expect(approve('Bob', action)).rejects.toMatchObject({ code: 'kill_switch' })
  await lowerRole(ada, { userId, role: 'viewer', reason: REASON })
  expect(await roleOf('Hal')).toMatchObject({ role: 'viewer' })
  await setKillSwitch(ada, { on: false, reason: REASON })
})

test('a service never becomes an approver', async () => {
  const { userId } = await mintToken(console.db, clock, { role: 'viewer', name: 'bot' })
  const ada = await people.as('Ada')
  await expect(proposeRoleRaise(ada, { userId, role: 'approver', reason: REASON })).rejects.toMatchObject({
    code: 'unprocessable',
  })
  expect(await proposeRoleRaise(ada, { userId, role: 'operator', reason: REASON })).toMatchObject({
    state: 'proposed',
  })
})

test('the last administrator who can sign in stays one', async () => {
  const ada = await people.as('Ada')
  for (const name of ['Bob', 'Eve'])
    await lowerRole(ada, { userId: (await people.as(name)).userId, role: 'viewer', reason: REASON })
  await expect(lowerRole(ada, { userId: ada.userId, role: 'viewer', reason: REASON })).rejects.toThrow(
    'last admin',
  )
})

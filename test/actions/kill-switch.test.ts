import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { inviteAgain } from '@/lib/access/accounts/invite'
import { lowerRole } from '@/lib/access/lower-role'
import { setBanned } from '@/lib/access/set-banned'
import { assertWritesEnabled, readKillSwitch, setKillSwitch } from '@/lib/actions/kill-switch'
import { manualClock } from '@/lib/core/clock'
import { peopleOf } from '../access/people'
import { createTestDatabase, type TestDatabase } from '../support/database'

const reason = 'provider looks broken, stop everything'

let console: TestDatabase
let people: ReturnType<typeof peopleOf>
const clock = manualClock('2026-01-01T00:00:00Z')
const off = async (name: string) => setKillSwitch(await people.as(name), { on: true, reason })
const on = async (name: string) =>
  setKillSwitch(await people.as(name), { on: false, reason: `${name} says all is well` })

beforeAll(async () => {
  console = await createTestDatabase()
  people = peopleOf(console.db, clock)
  await people.fromHost('Olga', 'operator')
  await people.fromHost('Anna', 'approver')
  await people.fromHost('Ben', 'approver')
  await people.fromHost('Chris', 'admin')
})
beforeEach(() => console.db.prisma.setting.deleteMany())
afterAll(() => console.close())

test('an approver switches writes off, with a reason; writes are refused while they are', async () => {
  expect(await readKillSwitch(console.db)).toMatchObject({ on: false, pending: null, version: 0 })
  await expect(off('Olga')).rejects.toMatchObject({ code: 'forbidden' })
  await expect(setKillSwitch(await people.as('Anna'), { on: true, reason: 'short' })).rejects.toThrow(
    '10 characters',
  )
  expect(await off('Anna')).toMatchObject({ on: true, by: 'Anna', version: 1 })
  await expect(assertWritesEnabled(console.db)).rejects.toMatchObject({
    code: 'kill_switch',
    message: expect.stringContaining(reason),
  })
  await console.db.prisma.$transaction((tx) =>
    expect(assertWritesEnabled(tx)).rejects.toMatchObject({ code: 'kill_switch' }),
  )
})

test('an administrator alone switches writes on again', async () => {
  await off('Anna')
  expect(await on('Chris')).toMatchObject({ on: false, by: 'Chris' })
  await assertWritesEnabled(console.db)
})

test('one approver asks for writes to be on again, and a second one agrees', async () => {
  await off('Anna')
  expect(await on('Anna')).toMatchObject({ on: true, by: 'Anna', reason, pending: { by: 'Anna' } })
  await expect(assertWritesEnabled(console.db)).rejects.toMatchObject({ code: 'kill_switch' })
  await expect(on('Anna')).rejects.toMatchObject({ code: 'conflict' })
  expect(await on('Ben')).toMatchObject({ on: false, by: 'Ben', pending: null })
  const entries = await console.db.prisma.auditEntry.findMany({
    where: { verb: 'kill_switch.set' },
    orderBy: { id: 'desc' },
    take: 3,
  })
  expect(entries.map(({ outcome, actor }) => [outcome, actor])).toEqual([
    ['off', 'Ben'],
    ['proposed', 'Anna'],
    ['on', 'Anna'],
  ])
})

test('two approvers who may be one person are not two', async () => {
  await people.fromHost('Dan', 'approver')
  await people.fromHost('Eli', 'approver')
  for (const name of ['Dan', 'Eli'])
    await inviteAgain(await people.as('Chris'), { userId: (await people.as(name)).userId, reason })
  await off('Anna')
  await on('Dan')
  await expect(on('Eli')).rejects.toMatchObject({ code: 'forbidden', meta: { fault: 'held' } })
  expect(await on('Ben')).toMatchObject({ on: false })
})

test('what a person asked for who is locked out since then counts no more', async () => {
  await people.fromHost('Gil', 'approver')
  await off('Anna')
  await on('Gil')
  await setBanned(await people.as('Chris'), { userId: (await people.as('Gil')).userId, banned: true, reason })
  expect(await on('Ben')).toMatchObject({ on: true, pending: { by: 'Ben' } })
})

test('what a person asked for who was lowered since then counts no more', async () => {
  await people.fromHost('Hans', 'approver')
  await off('Anna')
  await on('Hans')
  const { userId } = await people.as('Hans')
  await lowerRole(await people.as('Chris'), { userId, role: 'operator', reason })
  expect(await on('Ben')).toMatchObject({ on: true, pending: { by: 'Ben' } })
})

test('what was asked for ends after 15 minutes, and when writes are switched off once more', async () => {
  await off('Anna')
  await on('Anna')
  clock.advance(15 * 60_000)
  expect(await on('Ben')).toMatchObject({ on: true, pending: { by: 'Ben' } })
  expect(await off('Anna')).toMatchObject({ on: true, pending: null })
  expect(await on('Anna')).toMatchObject({ on: true, pending: { by: 'Anna' } })
})

test('of two who agree at the same time one switches writes on, and nobody asks anew', async () => {
  await people.fromHost('Finn', 'approver')
  await off('Anna')
  await on('Anna')
  const both = await Promise.all([on('Ben'), on('Finn')])
  expect(both.map((state) => state.on)).toEqual([false, false])
  expect(await readKillSwitch(console.db)).toMatchObject({ on: false, pending: null })
})

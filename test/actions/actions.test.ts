import { afterAll, beforeAll, expect, test } from 'vitest'
import { approvalExpiresAt, assertFourEyes } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { getAction, listActions } from '@/lib/actions/read'
import { transition } from '@/lib/actions/transition'
import type { Context } from '@/lib/context'
import { systemClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import { createTestDatabase, type TestDatabase } from '../support/database'
import { noQueue } from '../support/no-queue'

let console: TestDatabase
let operator: Context
let approver: Context
beforeAll(async () => {
  console = await createTestDatabase()
  const as = async (role: 'operator' | 'approver'): Promise<Context> => {
    await console.db.prisma.user.create({ data: { id: role, name: role, email: `${role}@test.local`, role } })
    return {
      db: console.db,
      clock: systemClock,
      log: silentLog,
      queue: noQueue,
      requestId: 'r',
      actor: { kind: 'user', userId: role, name: role, role, via: 'session' },
    }
  }
  operator = await as('operator')
  approver = await as('approver')
})
afterAll(() => console.close())

const propose = (charge = 'ch_1') =>
  console.db.prisma.$transaction((tx) =>
    createAction(tx, operator, {
      kind: 'refund',
      state: 'proposed',
      reason: 'charged twice for one order',
      provider: 'src_p',
      charge,
      amount: { minor: 9_007_199_254_740_993n, currency: 'JPY' },
      params: { minor: 1n },
    }),
  )
const move = (
  id: string,
  from: Parameters<typeof transition>[1]['from'],
  to: Parameters<typeof transition>[1]['to'],
  patch = {},
) => console.db.prisma.$transaction((tx) => transition(tx, { id, from, to, patch }))

test('an action is written and read, exactly', async () => {
  const { id } = await propose()
  expect(await getAction(console.db, id)).toMatchObject({
    id,
    state: 'proposed',
    proposer: 'operator',
    amount: { minor: '9007199254740993', currency: 'JPY' },
    params: { minor: '1' },
    version: 1,
  })
  await expect(getAction(console.db, 'act_none')).rejects.toMatchObject({ code: 'not_found' })
})

test('of many who move it at once, one does', async () => {
  const { id } = await propose()
  const moved = await Promise.all(
    Array.from({ length: 8 }, () =>
      move(id, ['proposed'], 'approved', { approverId: 'approver', approvedAt: new Date() }),
    ),
  )
  expect(moved.filter((row) => row !== 'lost')).toHaveLength(1)
  expect(await getAction(console.db, id)).toMatchObject({ state: 'approved', version: 2 })
  expect(await move(id, ['proposed'], 'rejected')).toBe('lost')
})

test('a way that the table does not have is a bug', async () => {
  const { id } = await propose()
  await expect(move(id, ['done'], 'proposed')).rejects.toThrow('no way from done to proposed')
})

test('four eyes: in the code, and in the database whatever the code does', async () => {
  const { id } = await propose()
  const mine = { proposerId: 'approver' }
  await expect(assertFourEyes(approver, mine)).rejects.toThrow('another approver')
  await expect(assertFourEyes(operator, mine)).rejects.toMatchObject({ meta: { roleNeeded: 'approver' } })
  const job: Context = { ...approver, actor: { kind: 'system', job: 'j' } }
  await expect(assertFourEyes(job, { proposerId: 'operator' })).rejects.toThrow('person')
  expect(await assertFourEyes(approver, { proposerId: 'operator' })).toBe('approver')
  await expect(move(id, ['proposed'], 'approved', { approverId: 'operator' })).rejects.toThrow(
    'action_four_eyes',
  )
  expect(approvalExpiresAt(new Date(0)).getTime()).toBe(900_000)
})

test('one correction of a charge is in flight at a time', async () => {
  const [one, other] = [await propose('ch_flight'), await propose('ch_flight')]
  for (const { id } of [one, other]) await move(id, ['proposed'], 'approved', { approverId: 'approver' })
  const started = await Promise.allSettled([one, other].map(({ id }) => move(id, ['approved'], 'executing')))
  expect(started.map((result) => result.status).sort()).toEqual(['fulfilled', 'rejected'])
  const lost = started.find((result) => result.status === 'rejected')
  expect(lost?.reason).toMatchObject({ code: 'conflict', meta: { reason: 'one_in_flight' } })
  const winner = started[0]?.status === 'fulfilled' ? one : other
  const loser = winner === one ? other : one
  await move(winner.id, ['executing'], 'unknown')
  await expect(move(loser.id, ['approved'], 'executing')).rejects.toMatchObject({ code: 'conflict' })
  await move(winner.id, ['unknown'], 'done')
  expect(await move(loser.id, ['approved'], 'executing')).not.toBe('lost')
})

test('lists are filtered and paged', async () => {
  const first = await listActions(console.db, { kind: ['refund'] }, { limit: 2 })
  const rest = await listActions(console.db, { kind: ['refund'] }, { limit: 200, cursor: first.next ?? '' })
  expect(new Set([...first.items, ...rest.items].map(({ id }) => id)).size).toBe(
    first.items.length + rest.items.length,
  )
  expect(rest.next).toBeNull()
  expect(
    (await listActions(console.db, { state: ['proposed'] }, { limit: 50 })).items.every(
      ({ state }) => state === 'proposed',
    ),
  ).toBe(true)
})

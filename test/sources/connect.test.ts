import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectSource, switchSource } from '@/lib/sources/connect'
import { createTestDatabase } from '../support/database'
import { userContext } from '../support/user-context'

let database: Awaited<ReturnType<typeof createTestDatabase>>
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.close())

const as = (role: 'admin' | 'operator') => userContext(database.db, role)
const store = {
  adapter: 'native' as const,
  name: 'orders store',
  system: 'orders',
  config: { schema: 'public' },
  secret: { url: 'postgres://reader:hidden-word@db.internal/orders' },
  reason: 'the orders service goes live',
}
const options = { credentialsKey: 'a'.repeat(64), demo: false }

test('a source is connected once, audited without its secret; a taken name and a lesser role are refused', async () => {
  await expect(connectSource(as('operator'), store, options)).rejects.toMatchObject({ code: 'forbidden' })
  const { id } = await connectSource(as('admin'), store, options)
  expect(id).toMatch(/^src_/)
  await expect(connectSource(as('admin'), store, options)).rejects.toMatchObject({ code: 'conflict' })
  const entries = await database.db.prisma.auditEntry.findMany({ where: { verb: 'source.connect' } })
  expect(entries).toMatchObject([{ subject: 'orders store', reason: store.reason }])
  expect(JSON.stringify(entries.map(({ after }) => after))).not.toContain('hidden-word')
})

test('a source is switched off and on by one of several who press at once, audited; a lesser role is refused', async () => {
  const { id } = await connectSource(as('admin'), { ...store, name: 'switched' }, options)
  const change = { id, on: false, reason: 'the store moves to another host' }
  await expect(switchSource(as('operator'), change)).rejects.toMatchObject({ code: 'forbidden' })
  const pressed = await Promise.allSettled([1, 2, 3].map(() => switchSource(as('admin'), change)))
  expect(pressed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  await expect(switchSource(as('admin'), change)).rejects.toMatchObject({ code: 'conflict' })
  expect(await switchSource(as('admin'), { ...change, on: true })).toEqual({ id, enabled: true })
  await expect(switchSource(as('admin'), { ...change, id: 'src_none' })).rejects.toMatchObject({
    code: 'not_found',
  })
  const entries = await database.db.prisma.auditEntry.findMany({
    where: { subject: 'switched', verb: { startsWith: 'source.switch' } },
    orderBy: { id: 'asc' },
  })
  expect(entries.map(({ verb }) => verb)).toEqual(['source.switch_off', 'source.switch_on'])
})

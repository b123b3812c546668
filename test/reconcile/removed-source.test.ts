import { afterAll, beforeAll, expect, test } from 'vitest'
import { LEDGER_CONFIG } from '@/jobs/supervisor/demo/demo-sources'
import { systemClock } from '@/lib/core/clock'
import { switchSource } from '@/lib/sources/connect'
import { removeSource } from '@/lib/sources/manage/remove'
import { saveSource } from '@/lib/sources/save'
import { pay } from './payments'
import { createWorld, REASON, reconcileNow, ripen, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const openCases = async () => {
  const where = { lifecycle: { not: 'resolved' } }
  const rows = await world.system.db.prisma.reconciliationCase.findMany({ where })
  return rows.map((row) => `${row.class} ${row.reference}`).sort()
}

/** Books in the second ledger what the service booked in the first. */
const moveTo = (table: string, reference: string) =>
  world.service.query(
    `WITH moved AS (DELETE FROM ledger_entry WHERE reference = '${reference}' RETURNING *)
     INSERT INTO ${table} OVERRIDING SYSTEM VALUE SELECT * FROM moved`,
  )

test('what a ledger that was removed had booked is not called missing, its open cases stay, and what comes later is compared', async () => {
  const { prisma } = world.system.db
  await world.service.query('CREATE TABLE ledger_two (LIKE ledger_entry INCLUDING ALL)')
  const url = (await world.service.query('SELECT current_database() AS name')).rows[0].name
  const address = new URL(world.console.adminUrl)
  address.pathname = `/${url}`
  const { correction: _, ...config } = LEDGER_CONFIG
  const two = await saveSource(
    world.system,
    {
      adapter: 'ledger-postgres',
      name: 'ledger two',
      system: 'payments',
      config: { ...config, relation: { schema: 'public', name: 'ledger_two' } },
      secret: { url: address.href },
    },
    { demo: true },
  )
  await pay(world, 'in the first')
  await pay(world, 'in the second')
  await moveTo('ledger_two', 'in the second')
  await pay(world, 'wrong in the second', { bookAs: 999 })
  await moveTo('ledger_two', 'wrong in the second')
  await pay(world, 'never booked', { skip: 'book' })
  await ripen(world)
  const before = await openCases()
  expect(before).toEqual(['amount_mismatch wrong in the second', 'ledger_missing never booked'])

  const admin = { ...(await world.as('admin')), clock: systemClock }
  const remove = { id: two, version: 1, name: 'ledger two', reason: REASON }
  await expect(removeSource(admin, remove)).rejects.toThrow('switch it off first')
  await switchSource(admin, { id: two, on: false, reason: REASON })
  await expect(removeSource(admin, remove)).rejects.toMatchObject({ code: 'conflict' })
  await expect(removeSource(admin, { ...remove, version: 2, name: 'ledger' })).rejects.toThrow(
    'Type the name',
  )
  await expect(
    removeSource({ ...(await world.as('operator')), clock: systemClock }, { ...remove, version: 2 }),
  ).rejects.toMatchObject({ code: 'forbidden' })
  // Two at once: one of them removes it.
  const pressed = await Promise.allSettled([1, 2].map(() => removeSource(admin, { ...remove, version: 2 })))
  expect(pressed.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  expect(await prisma.source.count({ where: { id: two } })).toBe(0)
  expect(
    await world.system.db.pool.query('SELECT FROM mirror.cursor WHERE source_id = $1', [two]),
  ).toMatchObject({
    rowCount: 0,
  })

  // All of it is looked at again: the second ledger is not missed, and no case is closed by its silence.
  world.advance(60_000)
  const window = { from: '2020-01-01T00:00:00.000Z', to: '2100-01-01T00:00:00.000Z' }
  await reconcileNow(world, { params: window })
  await reconcileNow(world)
  expect(await openCases()).toEqual(before)

  await pay(world, 'later, never booked', { skip: 'book' })
  await pay(world, 'later, booked')
  await ripen(world)
  expect(await openCases()).toEqual([...before, 'ledger_missing later, never booked'].sort())

  // The only one that is left goes too: what nothing can tell any more is not resolved by that.
  const still = await openCases()
  const one = { id: world.ids.ledger, name: 'ledger', reason: REASON }
  await switchSource(admin, { id: one.id, on: false, reason: REASON })
  const { version } = await prisma.source.findUniqueOrThrow({ where: { id: one.id } })
  await removeSource(admin, { ...one, version })
  world.advance(60_000)
  await reconcileNow(world, { params: window })
  await reconcileNow(world)
  expect(await openCases()).toEqual(still)

  const [entry] = await prisma.auditEntry.findMany({
    where: { verb: 'source.remove', subject: 'ledger two' },
  })
  expect(entry).toMatchObject({ subject: 'ledger two', reason: REASON })
  expect(JSON.stringify([entry?.before, entry?.after])).not.toContain(address.href)
})

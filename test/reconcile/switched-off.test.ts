import { afterAll, beforeAll, expect, test } from 'vitest'
import { pay } from './payments'
import { createWorld, reconcileNow, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const enable = (id: string, enabled: boolean) =>
  world.system.db.prisma.source.update({ where: { id }, data: { enabled } })
const open = () =>
  world.system.db.prisma.reconciliationCase.count({ where: { lifecycle: { not: 'resolved' } } })

test('a source that is switched off proves nothing: no case opens or closes by its silence', async () => {
  await pay(world, 'both')
  world.advance(30_000)
  await reconcileNow(world)
  expect(await open()).toBe(0)
  for (const id of [world.ids.ledger, world.ids.provider]) {
    await enable(id, false)
    await pay(world, `while ${id} is off`)
    world.advance(3_600_000)
    const run = await reconcileNow(world)
    expect(run).toMatchObject({ outcome: 'incomplete' })
    expect(JSON.stringify(run.counts.payments)).toContain('switched off')
    expect(await open()).toBe(0)
    await enable(id, true)
  }
  expect(await reconcileNow(world)).toMatchObject({ outcome: 'reconciled' })
})

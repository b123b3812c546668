import { afterAll, beforeAll, expect, test } from 'vitest'
import { readConsoleMeasures } from '@/lib/alerts/read-measures'
import { hasCompared } from '@/lib/reconcile/report/has-compared'
import { verdictOf } from '@/lib/reconcile/report/run-verdict'
import { pay } from './payments'
import { createWorld, reconcileNow, type World } from './world'

let world: World
beforeAll(async () => {
  world = await createWorld()
})
afterAll(() => world.close())

const switchOff = (...ids: string[]) =>
  world.system.db.prisma.source.updateMany({ where: { id: { in: ids } }, data: { enabled: false } })
/** As before it was ever read. */
const notConnected = (...ids: string[]) =>
  world.system.db.prisma.source.updateMany({
    where: { id: { in: ids } },
    data: { enabled: false, lastOkAt: null },
  })
const switchOn = () => world.system.db.prisma.source.updateMany({ data: { enabled: true } })
const shown = (outcome: string, result: { compared: number; nothingCompared: string | null }) =>
  verdictOf(outcome, [result])?.standing

test('a system of which nothing was ever read is incomplete, not green', async () => {
  const run = await reconcileNow(world)
  expect(run.outcome).toBe('incomplete')
  expect(run.counts.payments).toMatchObject({
    compared: 0,
    nothingCompared: 'nothing was ever read from the sources of payments',
  })
})

test('one side alone has nothing to be compared with', async () => {
  await pay(world, 'alone')
  world.advance(30_000)
  await notConnected(world.ids.ledger, world.ids.provider)
  const run = await reconcileNow(world)
  await switchOn()
  expect(run.outcome).toBe('incomplete')
  expect(run.counts.payments).toMatchObject({ nothingCompared: expect.stringContaining('intent') })
})

test('without any source a run proves nothing', async () => {
  await switchOff(...Object.values(world.ids))
  const run = await reconcileNow(world)
  await switchOn()
  expect(run).toMatchObject({ outcome: 'incomplete', counts: {} })
})

test('before a run has compared, corrections are not measured and no case is no answer', async () => {
  const window = () => ({ from: new Date(0), to: world.system.clock.now() })
  const m7 = async () =>
    (await readConsoleMeasures(world.system, window())).find(({ id }) => id === 'M7')?.state
  expect([await hasCompared(world.system.db), await m7()]).toEqual([false, 'not measured'])
  await reconcileNow(world)
  expect([await hasCompared(world.system.db), await m7()]).toEqual([true, 'ok'])
})

test('a window in which nothing lies is incomplete; with something in it, it is compared', async () => {
  await reconcileNow(world)
  const from = new Date(world.system.clock.now().getTime() - 3_000)
  const params = { from: from.toISOString(), to: world.system.clock.now().toISOString() }
  expect(await reconcileNow(world, { params })).toMatchObject({ outcome: 'incomplete' })
  await pay(world, 'inside')
  world.advance(30_000)
  const whole = { from: params.from, to: world.system.clock.now().toISOString() }
  expect(await reconcileNow(world, { params: whole })).toMatchObject({ outcome: 'reconciled' })
})

test('a scheduled run with nothing new is no fault, and is not shown green either', async () => {
  await reconcileNow(world)
  const quiet = await reconcileNow(world)
  expect(quiet).toMatchObject({ outcome: 'reconciled' })
  expect(quiet.counts.payments).toMatchObject({ compared: 0, nothingCompared: null })
  expect(shown('reconciled', { compared: 0, nothingCompared: null })).toBe('unknown')
  expect(shown('reconciled', { compared: 1, nothingCompared: null })).toBe('ok')
  expect(shown('incomplete', { compared: 0, nothingCompared: 'nothing was read' })).toBe('stale')
})

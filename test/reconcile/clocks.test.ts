import { afterEach, beforeEach, expect, test } from 'vitest'
import { z } from 'zod'
import { coverageOf } from '@/lib/mirror/read/evidence'
import { listCases } from '@/lib/reconcile/cases/cases'
import { acquire, begin, charge, killHolder, pay } from './payments'
import { createWorld, reconcileNow, ripen, type World } from './world'

/** What was listed up to when is measured by the provider's clock: the console's may be anything. */

const TEN_MINUTES = 600_000

let world: World
beforeEach(async () => {
  world = await createWorld()
})
afterEach(() => world.close())

const isStaged = async (id: string): Promise<boolean> =>
  (await world.system.db.pool.query('SELECT FROM mirror.object WHERE object_id = $1', [id])).rowCount === 1
const open = async () =>
  (await listCases(world.system.db, {}, { limit: 50 })).items
    .filter(({ lifecycle }) => lifecycle !== 'resolved')
    .map(({ class: name, subject }) => ({ class: name, effectIds: subject.effectIds }))
/** By how many seconds the console is ahead of a source, as the condition says. */
async function skew(
  of: keyof World['ids'] = 'provider',
): Promise<{ state: string; name: string; seconds: number } | undefined> {
  const found = await world.system.db.prisma.condition.findFirst({
    where: { kind: 'clock_skew', subject: world.ids[of] },
  })
  return found === null
    ? undefined
    : { state: found.state, ...z.object({ name: z.string(), seconds: z.number() }).parse(found.detail) }
}

async function runWithConsole(aheadMs: number) {
  world.skewConsole(aheadMs)
  const run = await reconcileNow(world)
  world.skewConsole(0)
  return run
}

test('ten minutes ahead for one run: a charge made in that gap is staged, and its key is not called effect-free', async () => {
  await pay(world, 'before')
  world.advance(6_000)
  await runWithConsole(TEN_MINUTES)
  const held = await acquire(world)
  await begin(world, held)
  const made = await charge(world, held, { reference: 'in-the-gap' })
  await killHolder(world, held)
  await ripen(world)
  expect(await isStaged(made)).toBe(true)
  expect(await open()).toEqual([{ class: 'stuck_effect_done', effectIds: [made] }])
})

test('the difference is a condition with its seconds, and is cleared once the clocks agree', async () => {
  await runWithConsole(TEN_MINUTES)
  expect(await skew()).toMatchObject({ state: 'firing', name: 'provider' })
  expect((await skew())?.seconds).toBeGreaterThanOrEqual(598)
  await runWithConsole(-TEN_MINUTES)
  expect((await skew())?.seconds).toBeLessThanOrEqual(-599)
  await reconcileNow(world)
  expect(await skew()).toMatchObject({ state: 'cleared' })
})

/** The engine's clock, as after a failover to a machine whose own is wrong. Only the service's database has it. */
async function moveEngineClock(ms: number) {
  await world.service.query(`
    DO $$ BEGIN
      IF to_regproc('pg_catalog.true_clock_timestamp') IS NULL THEN
        ALTER FUNCTION pg_catalog.clock_timestamp() RENAME TO true_clock_timestamp;
      END IF;
    END $$;
    CREATE OR REPLACE FUNCTION pg_catalog.clock_timestamp() RETURNS timestamptz LANGUAGE sql
      AS $$ SELECT pg_catalog.true_clock_timestamp() + interval '${ms} milliseconds' $$`)
}

test.each(['store', 'ledger'] as const)('a jump of the clock of a %s is a condition too', async (of) => {
  await reconcileNow(world)
  expect(await skew(of)).toBeUndefined()
  await moveEngineClock(TEN_MINUTES)
  await reconcileNow(world)
  expect(await skew(of)).toMatchObject({ state: 'firing', name: of })
  expect((await skew(of))?.seconds).toBeLessThanOrEqual(-500)
  await moveEngineClock(-TEN_MINUTES)
  await reconcileNow(world)
  expect((await skew(of))?.seconds).toBeGreaterThanOrEqual(500)
  expect(await skew('provider')).toBeUndefined()
  await moveEngineClock(0)
  await reconcileNow(world)
  expect(await skew(of)).toMatchObject({ state: 'cleared' })
})

test('ten minutes ahead or behind, nothing is called missing early, and nothing is listed late', async () => {
  world.skewConsole(TEN_MINUTES)
  const paid = await pay(world, 'young', { skip: 'book' })
  world.advance(6_000)
  await reconcileNow(world)
  expect(await isStaged(paid.charge)).toBe(true)
  expect(await open()).toEqual([])
  world.skewConsole(-TEN_MINUTES)
  world.advance(20_000)
  await reconcileNow(world)
  expect(await open()).toEqual([{ class: 'ledger_missing', effectIds: [paid.charge] }])
})

test('what is read after the console was ahead is newer than what was read while it was', async () => {
  const paid = await pay(world, 'updated')
  world.advance(6_000)
  await runWithConsole(TEN_MINUTES)
  await world.provider.control.failCharge(paid.charge)
  await ripen(world)
  expect(await open()).toEqual([{ class: 'reversed_after_post', effectIds: [paid.charge] }])
})

test('a cursor that is ahead of the provider was moved by a wrong clock: the time behind it is listed again', async () => {
  await reconcileNow(world)
  const later = new Date(world.system.clock.now().getTime() + TEN_MINUTES).toISOString()
  await world.system.db.pool.query(
    `UPDATE mirror.cursor SET position = $2 WHERE source_id = $1 AND feed IN ('objects', 'hints')`,
    [world.ids.provider, JSON.stringify({ coveredTo: later })],
  )
  await world.system.db.pool.query('UPDATE mirror.coverage SET to_at = $2 WHERE source_id = $1', [
    world.ids.provider,
    later,
  ])
  const made = await charge(world, null, { reference: 'behind-the-cursor' })
  world.advance(6_000)
  await reconcileNow(world)
  expect(await isStaged(made)).toBe(true)
  const covered = (await coverageOf(world.system.db, world.ids.provider)).at(-1)
  expect(covered?.to.getTime()).toBeLessThanOrEqual(world.system.clock.now().getTime())
})

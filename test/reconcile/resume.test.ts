import { afterEach, expect, test } from 'vitest'
import { listCases } from '@/lib/reconcile/cases/cases'
import { type RunHandle, RunLostError } from '@/lib/runs/handle'
import { acquire, begin, charge, killHolder, pay } from './payments'
import { createWorld, reconcileNow, type World } from './world'

/** A worker that is killed leaves a run whose lease passes; another goes on. The end must be an undisturbed run's. */

const worlds: World[] = []
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close()
})

async function brokenWorld(): Promise<World> {
  const world = await createWorld()
  worlds.push(world)
  await pay(world, 'fine')
  await pay(world, 'lost', { skip: 'book' })
  await pay(world, 'wrong', { bookAs: 1234 })
  await pay(world, 'twice')
  await pay(world, 'twice')
  const held = await acquire(world, { key: 'stuck-key' })
  await begin(world, held)
  await charge(world, held, { reference: 'stuck' })
  await killHolder(world, held)
  world.advance(30_000)
  return world
}

/** Nothing in the run catches it, as nothing catches a SIGKILL. */
class Killed extends RunLostError {
  constructor() {
    super('killed')
  }
}

/** Dies just before its n-th report, or just after it. */
const dyingAt =
  (n: number, when: 'before' | 'after') =>
  (handle: RunHandle): RunHandle => {
    let reports = 0
    return {
      ...handle,
      get checkpoint() {
        return handle.checkpoint
      },
      async report(update, client) {
        reports += 1
        if (reports === n && when === 'before') throw new Killed()
        await handle.report(update, client)
        if (reports === n) throw new Killed()
      },
    }
  }

const result = async (world: World) =>
  (await listCases(world.system.db, {}, { limit: 200 })).items
    .map(({ class: name, subject, outcome, lifecycle }) => ({
      name,
      reference: subject.reference,
      outcome,
      lifecycle,
    }))
    .sort((a, b) => (`${a.name}${a.reference}` < `${b.name}${b.reference}` ? -1 : 1))

test('stopped at any point and taken over, a run ends as if undisturbed', async () => {
  const undisturbed = await brokenWorld()
  let points = 0
  await reconcileNow(undisturbed, {
    wrap: (handle) => ({
      ...handle,
      report: async (update, client) => {
        points += 1
        await handle.report(update, client)
      },
    }),
  })
  const expected = await result(undisturbed)
  expect(expected.map(({ name }) => name)).toEqual([
    'amount_mismatch',
    'duplicate_semantic',
    'ledger_missing',
    'stuck_effect_done',
  ])

  const world = await brokenWorld()
  const { db } = world.system
  const runId = `run_${'r'.repeat(26)}`
  await db.prisma.run.create({ data: { id: runId, kind: 'reconciliation', requestedBy: 'system:test' } })
  // One run, killed again and again, a little later each time.
  for (let point = 1; point <= points; point++) {
    for (const when of ['before', 'after'] as const) {
      const died = await reconcileNow(world, { runId, wrap: dyingAt(point, when) }).then(
        () => false,
        (error: unknown) => {
          if (!(error instanceof Killed)) throw error
          return true
        },
      )
      if (!died) {
        expect(await result(world)).toEqual(expected)
        return
      }
      await db.pool.query(`UPDATE run SET lease_until = now() - interval '1 second' WHERE id = $1`, [runId])
    }
  }
  await reconcileNow(world, { runId })
  expect(await result(world)).toEqual(expected)
})

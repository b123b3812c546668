import { fork } from 'node:child_process'
import { once } from 'node:events'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newId } from '@/lib/core/ids'
import { listCases } from '@/lib/reconcile/cases/cases'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import { acquire, begin, charge, giveBack, killHolder, pay } from '../reconcile/payments'
import { createWorld, reconcileNow, SETTINGS, type World } from '../reconcile/world'
import { wholeOrSample } from '../support/whole-or-sample'

/** Principle 9: workers are killed with SIGKILL, and the end equals that of a run which nobody disturbed. */

let undisturbed: World
let world: World
beforeAll(async () => {
  ;[undisturbed, world] = await Promise.all([brokenWorld(), brokenWorld()])
})
afterAll(() => Promise.all([undisturbed.close(), world.close()]))

/** Some payments in order, and one of several faults. Two of them are equal but for ids and times. */
async function brokenWorld(): Promise<World> {
  const made = await createWorld()
  for (let n = 0; n < 4; n++) await pay(made, `fine-${n}`)
  await giveBack(made, await pay(made, 'refunded'))
  await pay(made, 'unbooked', { skip: 'book' })
  await pay(made, 'wrong', { bookAs: 77 })
  await pay(made, 'twice')
  await pay(made, 'twice')
  const held = await acquire(made)
  await begin(made, held)
  await charge(made, held, { reference: 'stuck' })
  await killHolder(made, held)
  made.advance(30_000)
  return made
}

const endOf = async ({ system }: World) => {
  const { items } = await listCases(system.db, {}, { limit: 200 })
  const { rows } = await system.db.pool.query(
    `SELECT side, kind, status, reference, amount_minor, (operation_id IS NULL) AS paired FROM mirror.object
     ORDER BY 1, 2, 3, 4, 5`,
  )
  const { rows: left } = await system.db.pool.query(
    `SELECT (SELECT count(*) FROM mirror.range) + (SELECT count(*) FROM mirror.unmatched) + (SELECT count(*) FROM mirror.candidate)
       + (SELECT count(*) FROM mirror.finding) AS work`,
  )
  const cases = items
    .map((each) => ({ class: each.class, reference: each.subject.reference, lifecycle: each.lifecycle }))
    .sort((a, b) => (`${a.class}${a.reference}` < `${b.class}${b.reference}` ? -1 : 1))
  return { cases, staged: rows, workLeft: Number(left[0].work) }
}

type Stop = { stopAt: number; when: 'before' | 'behind'; phasesOnly: boolean; assist?: boolean }
type Said = { stopped?: number; outcome?: string }

/** Starts a worker process on a run; kills it where it was told to stand still. Null = it went through. */
async function work(on: World, runId: string, stop: Stop, over: Partial<ReconcileSettings> = {}) {
  const aheadMs = on.system.clock.now().getTime() - Date.now()
  const orders = {
    url: on.console.url,
    runId,
    aheadMs,
    settings: { ...SETTINGS, ...over },
    assist: false,
    ...stop,
  }
  const child = fork(new URL('./reconcile-worker.ts', import.meta.url).pathname, [JSON.stringify(orders)], {
    execArgv: ['--import', 'tsx'],
    env: { ...process.env, IDEMSCOPE_KEY_SECRET: SETTINGS.keySecret },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const [said] = (await once(child, 'message')) as [Said]
  if (said.stopped === undefined) {
    await once(child, 'exit')
    return said
  }
  child.kill('SIGKILL')
  await once(child, 'exit')
  // Its lease, and that of the range it held, pass by themselves; the test does not wait for it.
  await on.system.db.pool.query(`UPDATE run SET lease_until = now() - interval '1 second' WHERE id = $1`, [
    runId,
  ])
  await on.system.db.pool.query(`UPDATE mirror.range SET lease_until = now() - interval '1 second'`)
  return null
}

test('kill -9 at every phase boundary, before and behind its commit: the end is that of an undisturbed run', async () => {
  await reconcileNow(undisturbed)
  const expected = await endOf(undisturbed)
  expect(expected.cases.map((each) => each.class)).toEqual([
    'amount_mismatch',
    'duplicate_semantic',
    'ledger_missing',
    'stuck_effect_done',
  ])
  expect(expected.workLeft).toBe(0)

  const runId = newId('run')
  await world.system.db.prisma.run.create({
    data: {
      id: runId,
      kind: 'reconciliation',
      requestedBy: 'system:test',
      createdAt: world.system.clock.now(),
    },
  })
  let killed = 0
  for (;;) {
    // Each process dies at the first boundary that it reaches: before its commit, then the next one inside it. A sample
    // goes on to the next boundary at once.
    if (wholeOrSample(true, false)) {
      const before = await work(world, runId, { stopAt: 1, when: 'before', phasesOnly: true })
      if (before !== null) break
      killed += 1
    }
    const behind = await work(world, runId, { stopAt: 2, when: 'before', phasesOnly: true })
    if (behind !== null) {
      expect(behind.outcome).toBe('done')
      break
    }
    killed += 1
  }
  expect(killed).toBeGreaterThanOrEqual(wholeOrSample(5, 4))
  expect(await endOf(world)).toEqual(expected)
}, 240_000)

test('kill -9 of a helper in the middle of a range: another takes the range, and nothing is lost or doubled', async () => {
  const made = await createWorld()
  try {
    const ids: string[] = []
    for (let n = 0; n < 130; n++) {
      ids.push(await charge(made, null, { reference: `range-${n}` }))
      if (n % 26 === 0) made.advance(2_000)
    }
    made.advance(10_000)
    // The process reads real time: on a busy machine it begins many seconds after the charges were made.
    const settings = { rangeMs: 4_000, backfillMs: 120_000 }
    const helper = newId('run')
    await made.system.db.prisma.run.create({
      data: { id: helper, kind: 'staging', requestedBy: 'system:test', createdAt: made.system.clock.now() },
    })
    // A run that stood still after planning its ranges; the helper takes one of them and is killed inside of it.
    const runId = newId('run')
    await made.system.db.prisma.run.create({
      data: {
        id: runId,
        kind: 'reconciliation',
        requestedBy: 'system:test',
        createdAt: made.system.clock.now(),
      },
    })
    expect(await work(made, runId, { stopAt: 4, when: 'before', phasesOnly: false }, settings)).toBeNull()
    const open = await made.system.db.pool.query(
      'SELECT count(*)::int AS n FROM mirror.range WHERE done_at IS NULL',
    )
    expect(open.rows[0].n).toBeGreaterThan(2)
    const stop = { stopAt: 2, when: 'behind', phasesOnly: false, assist: true } as const
    expect(await work(made, helper, stop, settings)).toBeNull()
    await reconcileNow(made, { runId, settings })
    const { rows } = await made.system.db.pool.query(
      `SELECT object_id FROM mirror.object WHERE side = 'provider' AND kind = 'charge' ORDER BY 1`,
    )
    expect(rows.map((row) => row.object_id)).toEqual([...ids].sort())
    const { rows: left } = await made.system.db.pool.query('SELECT count(*)::int AS n FROM mirror.range')
    expect(left[0].n).toBe(0)
  } finally {
    await made.close()
  }
}, 120_000)

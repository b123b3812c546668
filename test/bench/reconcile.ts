import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { newId } from '@/lib/core/ids'
import { planRanges } from '@/lib/mirror/range'
import { readWatermark } from '@/lib/mirror/watermark'
import { classifyAll } from '@/lib/reconcile/classify/read/classify-all'
import { match } from '@/lib/reconcile/match/match'
import { reconcileSettings } from '@/lib/reconcile/settings'
import { cutUp } from '@/lib/reconcile/stage/work-ranges'
import { openSystem } from '@/lib/sources/registry'
import { withCluster } from './cluster'
import type { Done, Order } from './reconcile-worker'
import { type BenchWorld, book, charge, createBenchWorld, SYSTEM, stageCharges } from './reconcile-world'
import { against, atMost, type Bench, type BenchLine, type Report, stated } from './report'

const ROWS_DEFAULT = 1_000_000
const STAGE_ROWS_A_SECOND_MIN = 35_000
const MATCH_RATIO_MAX = 2
const WORKER_MIB_MAX = 300
const INCREMENT = 0.01
const INCREMENT_RATIO_MAX = 0.03
const WORKERS_RATIO_MIN = 1.8
const PAGE_MS = 50
const RANGES = 8
const CHARGES = 4_000
const HOUR_MS = 3_600_000

/** `--rows` = payments on each side. */
export const bench: Bench = async ({ rows = ROWS_DEFAULT, only }, report) => {
  const wanted = (name: string) => only === undefined || only === name
  await withCluster(async (cluster) => {
    for (const [name, cases] of [
      ['match', matchCases],
      ['workers', workersCase],
    ] as const) {
      if (!wanted(name)) continue
      const world = await createBenchWorld(cluster, name)
      await cases(world, rows, report)
      await world.close()
    }
  })
}

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now()
  await work()
  return performance.now() - started
}

const atLeast = (name: string, value: number, unit: string, min: number): BenchLine => ({
  ...stated(name, value, unit),
  bound: `>= ${min} ${unit}`,
  ok: value >= min,
})

/** A worker in a process of its own, ready to work. */
async function startWorker(world: BenchWorld) {
  const child: ChildProcess = fork(
    new URL('./reconcile-worker.ts', import.meta.url).pathname,
    [world.url, SYSTEM],
    {
      execArgv: ['--import', 'tsx'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  )
  await once(child, 'message')
  return {
    async order(order: Omit<Order, 'system'>): Promise<Done> {
      child.send({ ...order, system: SYSTEM })
      const [done] = (await Promise.race([
        once(child, 'message'),
        once(child, 'exit').then(() => Promise.reject(new Error('the worker died'))),
      ])) as [Done]
      return done
    },
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

/** A day of payments that ended an hour ago, then one in a hundred more. */
async function matchCases(world: BenchWorld, rows: number, report: Report): Promise<void> {
  const day = { from: 1, to: rows, end: new Date(Date.now() - HOUR_MS), spanMs: 23 * HOUR_MS }
  await book(world, day)
  await stageCharges(world, day)
  const worker = await startWorker(world)
  const staged = await worker.order({ what: 'stage' })
  const rate = staged.rows / (staged.ms / 1000)
  report(atLeast('stage from PostgreSQL', rate, 'rows/s', STAGE_ROWS_A_SECOND_MIN))
  await world.ctx.db.pool.query('VACUUM ANALYZE mirror.object')
  await matchAgainstJoin(world, rows, report)

  const run = await worker.order({ what: 'run', floodCap: rows })
  const more = Math.max(1, Math.round(rows * INCREMENT))
  // Booked just now: what is dated back is behind the cursor.
  const later = { from: rows + 1, to: rows + more, end: new Date(), spanMs: 1_000 }
  await book(world, later)
  await stageCharges(world, later)
  const increment = await worker.order({ what: 'run', floodCap: rows })
  report(
    against(
      'an incremental run over 1 % of the rows',
      { value: increment.ms, baseline: staged.ms + run.ms, unit: 'ms' },
      { ratioMax: INCREMENT_RATIO_MAX },
    ),
  )
  report(atMost('memory of the worker', increment.residentMibMax, 'MiB', WORKER_MIB_MAX))
  await worker.stop()
}

/** Nothing of it is kept: the full run that follows finds the mirror as it was staged, but for the operations named. */
async function matchAgainstJoin(world: BenchWorld, rows: number, report: Report): Promise<void> {
  const { ctx } = world
  const sources = await openSystem(ctx, SYSTEM)
  const sides = { intent: 'none', ledger: 'complete', provider: 'complete' } as const
  const run = { id: newId('run'), system: SYSTEM, stage: { asOf: ctx.clock.now(), sides } }
  const watermark = await readWatermark(ctx.db, SYSTEM)
  const joinMs = [await timed(() => fullOuterJoin(world)), await timed(() => fullOuterJoin(world))]
  let matched = { compared: 0, matched: 0 }
  const matchMs = await timed(async () => {
    matched = await match(ctx, run, { kind: 'watermark', watermark }, async () => undefined)
  })
  const classifyMs = await timed(() => classifyAll(ctx, run, sources, reconcileSettings()))
  joinMs.push(await timed(() => fullOuterJoin(world)))
  // The middle one of before, before and after.
  const baseline = joinMs.sort((a, b) => a - b)[1] ?? Number.NaN
  const figures = { value: matchMs + classifyMs, baseline, unit: 'ms' }
  report(against(`match and classify ${rows} x ${rows}`, figures, { ratioMax: MATCH_RATIO_MAX }))
  report(stated('of these paired', matched.matched, 'payments'))
  report(stated('of these classified one by one', matched.compared - matched.matched, 'payments'))
  for (const table of ['unmatched', 'candidate', 'finding']) {
    await ctx.db.pool.query(`DELETE FROM mirror.${table}`)
  }
}

/** What a database does for the same rows when nothing is guaranteed. */
async function fullOuterJoin({ ctx, ids }: BenchWorld): Promise<void> {
  const client = await ctx.db.pool.connect()
  try {
    await client.query(`BEGIN; SET LOCAL work_mem = '256MB'`)
    await client.query(
      `SELECT count(*) FILTER (WHERE p.object_id IS NULL) AS unknown, count(*) FILTER (WHERE l.object_id IS NULL) AS missing,
         count(*) FILTER (WHERE p.captured_minor <> l.amount_minor OR p.currency <> l.currency) AS different
       FROM (SELECT * FROM mirror.object WHERE source_id = '${ids.provider}') p
       FULL JOIN (SELECT * FROM mirror.object WHERE source_id = '${ids.ledger}') l ON l.provider_ref = p.provider_ref`,
    )
    await client.query('COMMIT')
  } finally {
    client.release()
  }
}

/** Ranges of a provider that needs 50 ms for a page, taken by one worker and then, anew, by two. */
async function workersCase(world: BenchWorld, _rows: number, report: Report): Promise<void> {
  const span = await charge(world, CHARGES)
  world.provider.control.setSwitches({ slow: { remaining: 1_000_000, delayMs: PAGE_MS, match: 'GET' } })
  const workers = [await startWorker(world), await startWorker(world)]
  const stage = async (count: number): Promise<number> => {
    await world.ctx.db.pool.query('TRUNCATE mirror.object, mirror.alias, mirror.range, mirror.coverage')
    const pieces = cutUp(span, (span.to.getTime() - span.from.getTime()) / RANGES)
    await planRanges(world.ctx.db, { sourceId: world.ids.provider, feed: 'objects' }, pieces)
    return timed(() => Promise.all(workers.slice(0, count).map((worker) => worker.order({ what: 'assist' }))))
  }
  await stage(2)
  const one = await stage(1)
  const two = await stage(2)
  report(
    against(
      `${RANGES} ranges, ${PAGE_MS} ms a page: two workers`,
      { value: CHARGES / (two / 1000), baseline: CHARGES / (one / 1000), unit: 'rows/s' },
      { ratioMin: WORKERS_RATIO_MIN },
    ),
  )
  for (const worker of workers) await worker.stop()
}

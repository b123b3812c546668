import { systemClock } from '@/lib/core/clock'
import { openDatabase } from '@/lib/db'
import { silentLog } from '@/lib/log'
import { reconcile } from '@/lib/reconcile/run'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import { assist, stagingContext } from '@/lib/reconcile/stage/assist'
import { executeRun } from '@/lib/runs/execute'
import type { RunHandle } from '@/lib/runs/handle'
import { noQueue } from '../support/no-queue'

/**
 * A worker of its own process, for being killed: it carries out one run, and at its n-th commit (before it, or behind it
 * inside the transaction) says so and stands still. The rest is the parent's SIGKILL.
 */

type Orders = {
  url: string
  runId: string
  aheadMs: number
  settings: ReconcileSettings
  /** Only what commits a phase counts. */
  phasesOnly: boolean
  stopAt: number
  when: 'before' | 'behind'
  assist: boolean
}

const orders = JSON.parse(process.argv[2] ?? '{}') as Orders
const forever = new Promise<never>(() => setInterval(() => undefined, 1_000))
const db = openDatabase(orders.url, 4)
const clock = { now: () => new Date(systemClock.now().getTime() + orders.aheadMs) }

let commits = 0
const standStill = async (): Promise<never> => {
  process.send?.({ stopped: commits })
  return forever
}

const watched = (handle: RunHandle): RunHandle => ({
  ...handle,
  get checkpoint() {
    return handle.checkpoint
  },
  async report(update, client) {
    if (orders.phasesOnly && update.checkpoint === undefined) return handle.report(update, client)
    commits += 1
    if (commits === orders.stopAt && orders.when === 'before') return standStill()
    await handle.report(update, client)
    if (commits === orders.stopAt) await standStill()
  },
})

const outcome = await executeRun(
  { db, clock, log: silentLog, queue: noQueue },
  { id: orders.runId, owner: `prc_${process.pid}`, leaseMs: 1_000 },
  async (ctx, handle) => {
    const held = watched(handle)
    if (!orders.assist) return reconcile(ctx, held, handle.params, orders.settings)
    const read = await assist(stagingContext(ctx, held, 'payments'), 'payments', orders.settings)
    return { outcome: 'staged', counts: { read } }
  },
)
process.send?.({ outcome })
process.disconnect?.()
process.exit(0)

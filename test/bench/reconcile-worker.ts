import { systemClock } from '@/lib/core/clock'
import { newId } from '@/lib/core/ids'
import { closeDatabase, openDatabase } from '@/lib/db'
import { silentLog } from '@/lib/log'
import { reconcile } from '@/lib/reconcile/run'
import { reconcileSettings } from '@/lib/reconcile/settings'
import { assist } from '@/lib/reconcile/stage/assist'
import { stageLedger } from '@/lib/reconcile/stage/stage-ledger'
import { executeRun } from '@/lib/runs/execute'
import { startRun } from '@/lib/runs/start'
import { closeSources, openSystem } from '@/lib/sources/registry'
import { noQueue } from '../support/no-queue'

/** A worker of its own process for the bench: does one thing at a time, says how long it took and what it holds. */

export type Order = { what: 'stage' | 'run' | 'assist'; system: string; floodCap?: number }
export type Done = { ms: number; rows: number; residentMibMax: number }

const db = openDatabase(process.argv[2] ?? '', 4)
const ctx = { db, clock: systemClock, log: silentLog, queue: noQueue }

async function carryOut({ what, system, floodCap }: Order): Promise<number> {
  const settings = reconcileSettings()
  if (what === 'assist') return assist(ctx, system, settings)
  if (what === 'stage') {
    const { ledgers } = await openSystem(ctx, system)
    let rows = 0
    for (const open of ledgers) rows += (await stageLedger(ctx, open)).read
    return rows
  }
  const actor = { kind: 'system', job: 'bench' } as const
  const { id } = await startRun(
    { ...ctx, actor, requestId: newId('req') },
    { kind: 'reconciliation', params: {} },
  )
  const outcome = await executeRun(ctx, { id, owner: 'bench', leaseMs: 15_000 }, (inner, handle) =>
    reconcile(inner, handle, handle.params, { ...settings, floodCap: floodCap ?? settings.floodCap }),
  )
  if (outcome !== 'done') throw new Error(`the run ended as ${outcome}`)
  return 0
}

process.on('message', (order: Order) => {
  const started = performance.now()
  carryOut(order).then(
    (rows) => {
      const residentMibMax = process.resourceUsage().maxRSS / 1024
      process.send?.({ ms: performance.now() - started, rows, residentMibMax } satisfies Done)
    },
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.once('disconnect', () => {
  void Promise.all([closeSources(), closeDatabase(db)]).then(() => process.exit(0))
})
// Sources are opened before the clock runs.
await openSystem(ctx, process.argv[3] ?? '')
process.send?.('ready')

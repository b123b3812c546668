import { newId } from '@/lib/core/ids'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { reconcile } from '@/lib/reconcile/run'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import { claimRun } from '@/lib/runs/claim'
import { finishRun } from '@/lib/runs/finish'
import { startRun } from '@/lib/runs/start'
import { outside } from '../environment/strands'
import { checkCases, readTruth } from '../invariants/case-invariants'
import { noteMismatches } from './flood'
import type { World } from './world'

export const RECONCILE_SETTINGS: ReconcileSettings = {
  keySecret: 'k'.repeat(32),
  settleDelayMs: 3_000,
  callMs: 0,
  clockSkewMs: 1_000,
  breakOnMs: 15_000,
  leaseGraceMs: 1_000,
  floodCap: 200,
  backfillMs: 86_400_000,
}

/** A run of the reconciliation, as a worker carries it out. What it shows is compared with what was there before it began. */
export async function reconcileNow(world: World): Promise<void> {
  await outside(() => noteMismatches(world))
  const truth = await outside(() => readTruth(world))
  const job = {
    ...world.env.system,
    actor: { kind: 'system' as const, job: 'simulation' },
    requestId: newId('req'),
  }
  const params = { system: 'payments' }
  const { id } = await startRun(job, { kind: 'reconciliation', params, dryRun: false })
  const handle = await claimRun(job, id, newId('prc'), 3_600_000)
  if (handle === null) return
  const settings = { ...RECONCILE_SETTINGS, floodCap: world.floodCap }
  const result = await reconcile(job, handle, handle.params, settings)
  await finishRun(job, handle, result)
  world.notes.push(`reconciled: ${result.outcome}`)
  if (result.outcome !== 'incomplete') await outside(() => checkCases(world, truth, id))
  await settleCorrections(job, settings)
}

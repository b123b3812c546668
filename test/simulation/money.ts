import { z } from 'zod'
import { CASE_CLASS_NAMES, caseClass } from '@/lib/core/case-classes'
import { newId } from '@/lib/core/ids'
import { approve } from '@/lib/reconcile/corrections/approve'
import { FOUR_EYES_KINDS } from '@/lib/reconcile/corrections/execute/plan'
import { settleCorrections } from '@/lib/reconcile/corrections/execute/settle'
import { propose } from '@/lib/reconcile/corrections/propose'
import { reconcile } from '@/lib/reconcile/run'
import type { ReconcileSettings } from '@/lib/reconcile/settings'
import { claimRun } from '@/lib/runs/claim'
import { finishRun } from '@/lib/runs/finish'
import { startRun } from '@/lib/runs/start'
import type { Account } from './accounts'
import type { Service } from './service'
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

/** A run of the reconciliation, as a worker carries it out. */
export async function reconcileNow(world: World): Promise<void> {
  const job = {
    ...world.env.system,
    actor: { kind: 'system' as const, job: 'simulation' },
    requestId: newId('req'),
  }
  const { id } = await startRun(job, { kind: 'reconciliation', params: {}, dryRun: false })
  const handle = await claimRun(job, id, newId('prc'), 3_600_000)
  if (handle === null) return
  const result = await reconcile(job, handle, handle.params, RECONCILE_SETTINGS)
  await finishRun(job, handle, result)
  await settleCorrections(job, RECONCILE_SETTINGS)
  world.notes.push(`reconciled: ${result.outcome}`)
}

/** How a service gives money back: as it should, under an id of its own that it never corrects, or in its books only. */
export type RefundHow = 'proper' | 'provisional' | 'unsent'

export async function refundByService(
  world: World,
  service: Service,
  nth: number,
  { how, amount }: { how: RefundHow; amount: number },
): Promise<void> {
  const charge = world.nthCharge(nth)
  if (charge === undefined) return
  const name = `${charge.id}-${world.serial()}`
  const book = (ref: string) =>
    service.query(
      `INSERT INTO ledger_entry (entry_kind, provider_ref, charge_ref, reference, amount_minor, currency)
       VALUES ('refund', $1, $2, $3, $4, 'USD')`,
      [ref, charge.id, charge.description, amount],
    )
  if (how === 'unsent') return book(`prov_${name}`)
  if (how === 'provisional') await book(`prov_${name}`)
  const sent = await sendRefund(world, charge.id, amount, name)
  if (sent !== null && how === 'proper') await book(sent)
}

/** At the provider's dashboard: no key, no metadata, no booking. */
export async function refundAtDashboard(world: World, nth: number, amount: number): Promise<void> {
  const charge = world.nthCharge(nth)
  if (charge !== undefined) await sendRefund(world, charge.id, amount)
}

async function sendRefund(
  world: World,
  charge: string,
  amount: number,
  key?: string,
): Promise<string | null> {
  const form = new URLSearchParams({ charge, amount: String(amount) }).toString()
  const { status, body } = await world.provider.request({
    method: 'POST',
    path: '/v1/refunds',
    form,
    idempotencyKey: key,
  })
  world.notes.push(`refund of ${amount} of ${charge}: ${status}`)
  return status === 200 ? JSON.parse(body).id : null
}

/** A bank sends a refund back. */
export async function failRefund(world: World, nth: number): Promise<void> {
  const live = world.provider.refunds().filter(({ status }) => status === 'succeeded')
  const refund = live[nth % Math.max(1, live.length)]
  if (refund !== undefined) await world.provider.control.failRefund(refund.id)
}

/** Somebody proposes the first correction that a case offers. */
export async function proposeCorrection(world: World, nth: number, by: Account): Promise<void> {
  const ctx = world.as(by)
  const cases = await ctx.db.prisma.reconciliationCase.findMany({
    where: { lifecycle: { not: 'resolved' }, outcome: 'break' },
    orderBy: [{ firstSeen: 'asc' }, { reference: 'asc' }, { class: 'asc' }],
  })
  const found = cases[nth % Math.max(1, cases.length)]
  if (found === undefined) return
  const fixes: readonly string[] = caseClass(z.enum(CASE_CLASS_NAMES).parse(found.class)).fixes
  for (const kind of FOUR_EYES_KINDS.filter((kind) => fixes.includes(kind))) {
    try {
      const action = await propose(
        ctx,
        { caseId: found.id, kind, params: {}, reason: 'as the case says' },
        RECONCILE_SETTINGS,
      )
      world.notes.push(`${by} proposes ${kind} for ${found.class}: ${action.state}`)
      return
    } catch (error) {
      world.notes.push(`${kind} for ${found.class}: ${error instanceof Error ? error.message : error}`)
    }
  }
}

/** Somebody approves what waits, on the evidence that they see. */
export async function approveCorrection(world: World, nth: number, by: Account): Promise<void> {
  const ctx = world.as(by)
  const waiting = await ctx.db.prisma.action.findMany({
    where: { state: 'proposed' },
    orderBy: [{ createdAt: 'asc' }, { charge: 'asc' }],
  })
  const action = waiting[nth % Math.max(1, waiting.length)]
  if (action === undefined) return
  const done = await approve(
    ctx,
    { actionId: action.id, evidenceHash: action.evidenceHash ?? '' },
    RECONCILE_SETTINGS,
  )
  world.notes.push(`${by} approves ${action.kind}: ${done.state} ${JSON.stringify(done.result)}`)
}

import { callOnce, endAction, type Settled, settle } from '@/lib/actions/execute'
import type { Context, SystemContext } from '@/lib/context'
import { newId } from '@/lib/core/ids'
import { notify } from '@/lib/live-events'
import { type ReconcileSettings, reconcileSettings } from '@/lib/reconcile/settings'
import { openSource } from '@/lib/sources/registry'
import type { Action } from '@/prisma/generated/client'
import { closeWhenCorrected } from '../close-corrected'
import { isExpired, recordedOf } from './execute'
import { gather } from './gather'
import { FOUR_EYES_KINDS } from './plan'
import { correctionSteps, madeBy, outcomeOf, stepSchema, whyStopped } from './send'

/** A call that has not ended by then has lost its process: longer than every timeout and retry of an adapter. */
const ABANDONED_MS = 5 * 60_000
const BATCH_APPROVALS = 50
const JOB = 'settle-corrections'

/**
 * Settles by reading what nobody knows the end of: `unknown`, or `executing` by a process that died. What the source
 * has is done. What it does not have is sent again under the same action id while the approval is good (15 minutes) and
 * the evidence still is what was approved; else it failed, and a new action may take its place. Returns how many.
 */
export async function settleCorrections(
  ctx: SystemContext,
  settings: ReconcileSettings = reconcileSettings(),
): Promise<number> {
  const { settled } = await settle(ctx, {
    job: JOB,
    where: { kind: { in: [...FOUR_EYES_KINDS] } },
    readableAfterMs: settings.settleDelayMs,
    abandonedAfterMs: Math.max(ABANDONED_MS, settings.settleDelayMs),
    recorded: recordedOf,
    read: async (job, action) => (await readBack(job, action)) ?? sendAgain(job, action, settings),
    async whenSettled(job, { id, state, caseId }) {
      if (state === 'done' && caseId !== null) await closeWhenCorrected(job, caseId, id, settings)
    },
  })
  await expireApprovals({ ...ctx, actor: { kind: 'system', job: JOB }, requestId: newId('req') })
  return settled
}

const NOT_THERE: Settled = {
  state: 'failed',
  result: { reason: 'not_there', text: 'Read again: it was not carried out.' },
}
const applied = (entryId: string): Settled => ({ state: 'done', result: { applied: true, entryId } })

/** What the source does not have is not carried out only once the last request with its id must have ended and shows. */
function absence(
  { clock }: Context,
  { executedAt }: Action,
  { callMs, settleDelayMs }: ReconcileSettings,
): Settled | null {
  const sentMs = executedAt?.getTime() ?? 0
  return sentMs + callMs + settleDelayMs <= clock.now().getTime() ? NOT_THERE : null
}

/**
 * When it is sent again. From here on its end is told by reading alone: the process that began it, should it only have been
 * paused, ends it no more. False = somebody else has settled it meanwhile.
 */
async function noteSending(ctx: Context, { id, executedAt }: Action): Promise<boolean> {
  const { count } = await ctx.db.prisma.action.updateMany({
    where: { id, state: { in: ['executing', 'unknown'] }, executedAt },
    data: { state: 'unknown', executedAt: ctx.clock.now(), version: { increment: 1 } },
  })
  if (count === 1) await notify(ctx.db.pool, { kind: 'action', id })
  return count === 1
}

/** The same id again: whichever of the two requests arrives first, the other one is answered with its result. */
async function sendAgain(ctx: Context, action: Action, settings: ReconcileSettings): Promise<Settled | null> {
  if (isExpired(ctx, action) || action.caseId === null) return absence(ctx, action, settings)
  const row = await ctx.db.prisma.reconciliationCase.findUniqueOrThrow({ where: { id: action.caseId } })
  const gathered = await gather(ctx, row, settings)
  if (gathered.hash !== action.evidenceHash) {
    // What changed may be that it has arrived meanwhile.
    const made = await readBack(ctx, action)
    if (made !== null) return made
    const absent = absence(ctx, action, settings)
    return absent && { ...absent, result: { ...absent.result, evidence: 'changed since it was approved' } }
  }
  // Before it is noted as sent: what nobody sends has no later end.
  if ((await whyStopped(ctx, action)) !== null) return null
  if (!(await noteSending(ctx, action))) return null
  const { state, result } = await callOnce(ctx, correctionSteps(ctx, action, gathered))
  if (state === 'unknown') return null
  if (state !== 'refused') return { state, result: { ...result, sentAgain: true } }
  // Not now, but later perhaps; what cannot be done at all has failed.
  const mayPass = ['kill_switch', 'provider_unreachable', 'source_gone'].includes(String(result.reason))
  return mayPass ? null : { state: 'failed', result }
}

/** What the correction made, by its action's id; null = the source answers and has nothing of it. */
async function readBack(ctx: Context, action: Action): Promise<Settled | null> {
  if (action.sourceId === null) return null
  const { source } = await openSource(ctx, action.sourceId)
  const { step } = stepSchema.parse(action.params)
  if (source.kind === 'provider' && step.kind === 'refund') {
    const ours = madeBy(action, await source.refundsOfCharge(step.chargeId))
    return ours === undefined ? null : outcomeOf(ours)
  }
  if (source.kind === 'ledger' && step.kind === 'ledger') {
    const { kind, entryId, providerRef } = step.correction
    if (kind !== 'reverse') {
      const row = await source.readCorrection({ actionId: action.id, kind, providerRef })
      return row === null ? null : applied(row.entryId)
    }
    const rows = await source.readByProviderRefs([providerRef])
    const reversed = rows.find((row) => row.entryId === entryId && row.reversedAt !== null)
    return reversed === undefined ? null : applied(reversed.entryId)
  }
  return null
}

/** Approved, and then its process died before it began: it has to be approved anew. */
async function expireApprovals(ctx: Context): Promise<void> {
  const now = ctx.clock.now()
  const stale = await ctx.db.prisma.action.findMany({
    where: { state: 'approved', expiresAt: { lte: now } },
    take: BATCH_APPROVALS,
  })
  for (const action of stale) {
    const result = { reason: 'approval_expired' }
    const recorded = recordedOf(ctx, action)
    await endAction(ctx, { id: action.id, ...recorded, from: ['approved'], state: 'expired', result })
  }
}

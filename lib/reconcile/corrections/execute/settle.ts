import { transition } from '@/lib/actions/transition'
import { append } from '@/lib/audit/append'
import type { Context, SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { type ReconcileSettings, reconcileSettings } from '@/lib/reconcile/settings'
import { SourceUnavailableError } from '@/lib/sources/contracts'
import { openSource } from '@/lib/sources/registry'
import type { Action } from '@/prisma/generated/client'
import { noteOnCase } from '../case-note'
import { closeWhenCorrected } from '../close-corrected'
import { act, madeBy, outcomeOf, stepSchema, whyKilled } from './act'
import { gather } from './gather'
import { FOUR_EYES_KINDS } from './plan'

/** A call that has not ended by then has lost its process: longer than every timeout and retry of an adapter. */
const ABANDONED_MS = 5 * 60_000
const AT_ONCE = 50

/**
 * Settles by reading what nobody knows the end of: `unknown`, or `executing` by a process that died. What the source
 * has is done. What it does not have is sent again under the same action id while the approval is good (15 minutes) and
 * the evidence still is what was approved; else it failed, and a new action may take its place. Returns how many.
 */
export async function settleCorrections(
  ctx: SystemContext,
  settings: ReconcileSettings = reconcileSettings(),
): Promise<number> {
  const now = ctx.clock.now().getTime()
  const settledBefore = new Date(now - settings.settleDelayMs)
  const abandonedBefore = new Date(now - Math.max(ABANDONED_MS, settings.settleDelayMs))
  const actions = await ctx.db.prisma.action.findMany({
    where: {
      kind: { in: [...FOUR_EYES_KINDS] },
      OR: [
        { state: 'unknown', executedAt: { lt: settledBefore } },
        { state: 'executing', executedAt: { lt: abandonedBefore } },
      ],
    },
    orderBy: { executedAt: 'asc' },
    take: AT_ONCE,
  })
  const job: Context = {
    ...ctx,
    actor: { kind: 'system', job: 'settle-corrections' },
    requestId: newId('req'),
  }
  let settled = 0
  for (const action of actions) {
    try {
      if (await settleOne(job, action, settings)) settled += 1
    } catch (error) {
      // Still unknown: the next run asks again.
      if (!(error instanceof SourceUnavailableError || error instanceof AppError)) throw error
      ctx.log.warn({ err: error, action: action.id }, 'a correction could not be settled yet')
    }
  }
  await expireApprovals(job)
  return settled
}

async function settleOne(ctx: Context, action: Action, settings: ReconcileSettings): Promise<boolean> {
  const found = await readBack(ctx, action)
  const { state: to, result } = found === null ? await sendAgain(ctx, action, settings) : found
  if (to === 'unknown') return false
  const row = await ctx.db.prisma.$transaction(async (tx) => {
    const moved = await transition(tx, {
      id: action.id,
      from: ['executing', 'unknown'],
      to,
      patch: { result, finishedAt: ctx.clock.now() },
    })
    if (moved === 'lost') return null
    if (action.caseId !== null)
      await noteOnCase(tx, ctx, action.caseId, to, { actionId: action.id, ...result })
    await append(tx, ctx, {
      verb: `correction.${action.kind}`,
      subject: action.id,
      outcome: to,
      after: { ...result, settledBy: 'reading' },
    })
    return moved
  })
  if (row?.state === 'done' && action.caseId !== null) {
    await closeWhenCorrected(ctx, action.caseId, action.id, settings)
  }
  return row !== null
}

const NOT_THERE: Settled = {
  state: 'failed',
  result: { reason: 'not_there', text: 'Read again: it was not carried out.' },
}
const STILL_UNKNOWN: Settled = {
  state: 'unknown',
  result: { text: 'What was sent last may still be under way.' },
}
type Settled = { state: 'done' | 'failed' | 'unknown'; result: Record<string, unknown> }
const applied = (entryId: string): Settled => ({ state: 'done', result: { applied: true, entryId } })

/** What the source does not have is not carried out only once the last request with its id must have ended and shows. */
function absence(
  { clock }: Context,
  { executedAt }: Action,
  { callMs, settleDelayMs }: ReconcileSettings,
): Settled {
  const sentMs = executedAt?.getTime() ?? 0
  return sentMs + callMs + settleDelayMs <= clock.now().getTime() ? NOT_THERE : STILL_UNKNOWN
}

/** When it is sent again: false = somebody else has settled it meanwhile. */
async function noteSending(ctx: Context, { id, executedAt }: Action): Promise<boolean> {
  const { count } = await ctx.db.prisma.action.updateMany({
    where: { id, state: { in: ['executing', 'unknown'] }, executedAt },
    data: { executedAt: ctx.clock.now() },
  })
  return count === 1
}

/** The same id again: whichever of the two requests arrives first, the other one is answered with its result. */
async function sendAgain(ctx: Context, action: Action, settings: ReconcileSettings): Promise<Settled> {
  const isExpired = action.expiresAt === null || action.expiresAt <= ctx.clock.now()
  if (isExpired || action.caseId === null) return absence(ctx, action, settings)
  const row = await ctx.db.prisma.reconciliationCase.findUniqueOrThrow({ where: { id: action.caseId } })
  const gathered = await gather(ctx, row, settings)
  if (gathered.hash !== action.evidenceHash) {
    // What changed may be that it has arrived meanwhile.
    const made = await readBack(ctx, action)
    if (made !== null) return made
    const { state, result } = absence(ctx, action, settings)
    return { state, result: { ...result, evidence: 'changed since it was approved' } }
  }
  // Before it is noted as sent: what nobody sends has no later end.
  const killed = await whyKilled(ctx, action)
  if (killed !== null) return { state: 'unknown', result: { reason: 'kill_switch', text: killed } }
  if (!(await noteSending(ctx, action))) return STILL_UNKNOWN
  const { state, result } = await act(action, gathered, () => whyKilled(ctx, action))
  if (state !== 'refused') return { state, result: { ...result, sentAgain: true } }
  // Not now, but later perhaps; what cannot be done at all has failed.
  const mayPass = ['kill_switch', 'provider_unreachable', 'source_gone'].includes(String(result.reason))
  return { state: mayPass ? 'unknown' : 'failed', result }
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
      const row = await source.readCorrection(action.id)
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
    take: AT_ONCE,
  })
  for (const action of stale) {
    await ctx.db.prisma.$transaction(async (tx) => {
      const row = await transition(tx, {
        id: action.id,
        from: ['approved'],
        to: 'expired',
        patch: { finishedAt: now, result: { reason: 'approval_expired' } },
      })
      if (row === 'lost') return
      if (action.caseId !== null) {
        await noteOnCase(tx, ctx, action.caseId, 'expired', { actionId: action.id })
      }
      await append(tx, ctx, {
        verb: `correction.${action.kind}`,
        subject: action.id,
        outcome: 'expired',
      })
    })
  }
}

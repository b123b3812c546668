import { z } from 'zod'
import { approvalExpiresAt, assertFourEyes, assertProposer } from '@/lib/actions/approval'
import { endProposal } from '@/lib/actions/end-proposal'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { decide } from '@/lib/actions/transition'
import type { ActionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { Action } from '@/prisma/generated/client'
import type { Asker } from '../assess/inspect'
import { parseLockVersion } from '../assess/lock-version'
import { saveOperatedLock } from '../assess/save-lock'
import { type KeySettings, keySettings } from '../settings'
import { commitResult, noteEvidence, resultOf } from '../verbs/action-result'
import { applyVerb, type VerbOutcome } from '../verbs/apply-verb'
import { failEvidence } from './evidence'

/**
 * A second person agrees to the evidence that they saw. Store and provider are read again, and the key is failed only if
 * all is as it was proposed. Of two approvals at once one is lost.
 */
export async function approveFail(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
  options: { settings?: KeySettings; asker?: Asker } = {},
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposedFail(ctx, input.actionId)
  const approverId = await assertFourEyes(ctx, action)
  await assertWritesEnabled(ctx.db)
  if (action.evidenceHash !== input.evidenceHash) {
    throw new AppError('conflict', 'That is not the evidence of this proposal: look at it again.', {
      meta: { reason: 'stale_evidence' },
    })
  }
  await takeOn(ctx, action, approverId)
  let outcome: VerbOutcome
  try {
    outcome = await applyApproved(ctx, action, options)
  } catch (error) {
    // Nothing was written: the write itself never throws.
    const message =
      error instanceof AppError ? error.message : 'Reading the evidence failed; nothing was changed.'
    await commitResult(ctx, 'fail', action.id, { state: 'failed', result: { error: message } })
    throw error
  }
  const done = await commitResult(ctx, 'fail', action.id, resultOf(outcome))
  await saveOperatedLock(ctx, action, 'fail', outcome)
  return done
}

type ProposedFail = Action & { sourceId: string; scope: string; key: string; seenVersion: string }

async function takeOn(ctx: Context, { id, evidenceHash }: Action, approverId: string): Promise<void> {
  const now = ctx.clock.now()
  const approval = { approverId, approvedAt: now, expiresAt: approvalExpiresAt(now) }
  await ctx.db.prisma.$transaction(async (tx) => {
    await decide(tx, { id, from: ['proposed'], to: 'approved', patch: approval })
    await decide(tx, { id, from: ['approved'], to: 'executing', patch: { executedAt: now } })
    await append(tx, ctx, { verb: 'lock.fail', subject: id, outcome: 'approved', after: { evidenceHash } })
  })
}

function applyApproved(
  ctx: Context,
  action: ProposedFail,
  { settings = keySettings(), asker }: { settings?: KeySettings; asker?: Asker },
): Promise<VerbOutcome> {
  const { id: actionId, sourceId, scope, key } = action
  const target = { sourceId, scope, key, seen: parseLockVersion(action.seenVersion) }
  return applyVerb(
    ctx,
    {
      verb: 'fail',
      target,
      actionId,
      asker,
      async beforeWrite(reading) {
        // Reading took its time: both must still be who they were.
        await assertFourEyes(ctx, action)
        const now = failEvidence(reading, actionId)
        return now.evidenceHash === action.evidenceHash
          ? noteEvidence(ctx, actionId, now)
          : 'evidence_changed'
      },
    },
    settings,
  )
}

type EndOfProposal = { actionId: string; reason: string }

/** A second person says no. */
export async function rejectFail(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  const reason = reasonSchema.parse(input.reason)
  const { id } = await proposedFail(ctx, input.actionId)
  return endProposal(ctx, id, { outcome: 'rejected', verb: 'lock.fail', reason })
}

/** Its proposer takes it back; nothing was done, so it needs no approver. */
export async function withdrawFail(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedFail(ctx, input.actionId)
  assertProposer(action, ctx.actor)
  return endProposal(ctx, action.id, { outcome: 'withdrawn', verb: 'lock.fail', reason })
}

const seenSchema = z.object({ version: z.string() })

/** Throws `not_found`, or `conflict` when it was decided on. */
async function proposedFail(ctx: Context, id: string): Promise<ProposedFail> {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action?.kind !== 'fail') throw new AppError('not_found', `There is no proposal ${id} to fail a key.`)
  if (action.state !== 'proposed') throw new AppError('conflict', `The action is ${action.state} already.`)
  const { sourceId, scope, key } = action
  const version = seenSchema.parse(action.seen).version
  if (sourceId === null || scope === null || key === null)
    throw new AppError('not_found', `${id} names no key.`)
  return { ...action, sourceId, scope, key, seenVersion: version }
}

import { z } from 'zod'
import { assertFourEyes, assertProposer, assertSameEvidence } from '@/lib/actions/approval'
import { endProposal } from '@/lib/actions/end-proposal'
import { commitIntent, type Intent } from '@/lib/actions/execute'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { beginApproved } from '@/lib/actions/put-in-force'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import type { Tx } from '@/lib/db'
import type { Action } from '@/prisma/generated/client'
import { parseLockVersion } from '../assess/lock-version'
import { executeVerb, type VerbOptions } from '../verbs/execute-verb'
import { noteEvidence } from '../verbs/note-evidence'
import { failEvidence } from './evidence'

/**
 * A second person agrees to the evidence that they saw. Store and provider are read again, and the key is failed only if
 * all is as it was proposed. Of two approvals at once one is lost.
 */
export async function approveFail(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
  options: VerbOptions = {},
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposedFail(ctx, input.actionId)
  const approverId = await assertFourEyes(ctx, action)
  await assertWritesEnabled(ctx.db)
  assertSameEvidence(action, input.evidenceHash)
  await commitIntent(ctx, 'lock.fail', (tx) => begin(tx, ctx, action, approverId))
  const { id: actionId, sourceId, scope, key } = action
  return executeVerb(
    ctx,
    {
      verb: 'fail',
      target: { sourceId, scope, key, seen: parseLockVersion(action.seenVersion) },
      actionId,
      async beforeWrite(reading) {
        // Reading took its time: both must still be who they were.
        await assertFourEyes(ctx, action)
        const now = failEvidence(reading, actionId)
        return now.evidenceHash === action.evidenceHash
          ? noteEvidence(ctx, actionId, now)
          : 'evidence_changed'
      },
    },
    options,
  )
}

type ProposedFail = Action & { sourceId: string; scope: string; key: string; seenVersion: string }

async function begin(
  tx: Tx,
  ctx: Context,
  { id, evidenceHash }: Action,
  approverId: string,
): Promise<Intent> {
  const action = await beginApproved(tx, id, { approverId, at: ctx.clock.now() })
  return { kind: 'ours', action, audit: { outcome: 'approved', after: { evidenceHash } } }
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

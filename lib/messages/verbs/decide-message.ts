import { z } from 'zod'
import { assertFourEyes, assertProposer, assertSameEvidence } from '@/lib/actions/approval'
import { endProposal } from '@/lib/actions/end-proposal'
import { commitIntent } from '@/lib/actions/execute'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { beginApproved } from '@/lib/actions/put-in-force'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { MESSAGE_ACTION_KINDS } from '@/lib/core/states'
import { approveSelection } from '../bulk/propose-selection'
import { carryOut } from './carry-out'
import { readEdited } from './edited'

/**
 * A second person agrees to the evidence that they saw. Message and records are read again, and it is done only if all is as it was
 * proposed. A selection begins to be worked off. Of two approvals at once one is lost.
 */
export async function approveMessage(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
): Promise<ActionView> {
  authorise(ctx, 'action.approve')
  const action = await proposed(ctx, input.actionId)
  const approverId = await assertFourEyes(ctx, action)
  await assertWritesEnabled(ctx.db)
  assertSameEvidence(action, input.evidenceHash)
  const { snapshotId } = z.object({ snapshotId: z.string().optional() }).parse(action.params)
  if (snapshotId !== undefined) return approveSelection(ctx, { ...action, snapshotId }, approverId)
  const { id, sourceId, key: place, verb } = action
  if (sourceId === null || place === null) throw new AppError('not_found', `${id} names no message.`)
  const { version } = z.object({ version: z.string() }).parse(action.seen)
  const { content } = z.object({ content: z.string() }).parse(action.params)
  const payload = await readEdited(ctx.db, id)
  if ((content !== 'as it was') !== (payload !== undefined))
    throw new AppError('conflict', 'The changed content is not kept any more: propose it again.')
  const payloadHash = payload === undefined ? null : content
  await commitIntent(ctx, `message.${verb}`, async (tx) => {
    const executing = await beginApproved(tx, id, { approverId, at: ctx.clock.now() })
    const audit = { outcome: 'approved', after: { evidenceHash: action.evidenceHash } }
    return { kind: 'ours', action: executing, audit }
  })
  return carryOut(ctx, {
    ...{ actionId: id, verb, target: { sourceId, place, version, payloadHash }, payload },
    async beforeCall({ evidenceHash }) {
      // Reading took its time: both must still be who they were.
      await assertFourEyes(ctx, action)
      return evidenceHash === action.evidenceHash
        ? null
        : 'Its consumers’ records are not what was agreed on: look at it again.'
    },
  })
}

type EndOfProposal = { actionId: string; reason: string }

/** A second person says no. */
export async function rejectMessage(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  authorise(ctx, 'action.reject')
  const reason = reasonSchema.parse(input.reason)
  const { id, verb } = await proposed(ctx, input.actionId)
  return endProposal(ctx, id, { outcome: 'rejected', verb: `message.${verb}`, reason })
}

/** Its proposer takes it back; nothing was done, so it needs no approver. */
export async function withdrawMessage(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  const reason = reasonSchema.parse(input.reason)
  const action = await proposed(ctx, input.actionId)
  assertProposer(action, ctx.actor)
  return endProposal(ctx, action.id, { outcome: 'withdrawn', verb: `message.${action.verb}`, reason })
}

/** Throws `not_found`, or `conflict` when it was decided on. */
async function proposed(ctx: Context, id: string) {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  const verb = z.enum(MESSAGE_ACTION_KINDS).safeParse(action?.kind)
  if (action === null || !verb.success)
    throw new AppError('not_found', `There is no proposal ${id} about messages.`)
  if (action.state !== 'proposed') throw new AppError('conflict', `The action is ${action.state} already.`)
  return { ...action, verb: verb.data }
}

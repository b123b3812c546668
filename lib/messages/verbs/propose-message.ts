import { assertPersonMay } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { MESSAGE_ACTION_KINDS, type MessageVerb } from '@/lib/core/states'
import { keepEdited } from './edited'
import type { Inspected, MessageTarget } from './inspect-message'

type Proposal = MessageTarget & { version: string; reason: string; payload: Uint8Array | undefined }

/**
 * Proposes a verb on one message of a route on which money moves: a second person agrees to the same evidence. Sent again by its
 * proposer it answers with the proposal that waits.
 */
export async function proposeMessage(
  ctx: Context,
  verb: MessageVerb,
  { sourceId, place, version, payloadHash, reason, payload }: Proposal,
  { evidence, evidenceHash }: Pick<Extract<Inspected, { kind: 'ready' }>, 'evidence' | 'evidenceHash'>,
): Promise<ActionView> {
  const { userId } = await assertPersonMay(ctx, `message.${verb}`)
  const content = payloadHash ?? 'as it was'
  return ctx.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`message:${sourceId}:${place}`}, 0))`
    const waiting = await tx.action.findFirst({
      where: {
        ...{ kind: { in: [...MESSAGE_ACTION_KINDS] }, sourceId, key: place },
        state: { in: ['proposed', 'approved', 'executing', 'unknown'] },
      },
    })
    if (waiting !== null) {
      const same = waiting.kind === verb && waiting.evidenceHash === evidenceHash
      if (waiting.state === 'proposed' && waiting.proposerId === userId && same) return actionView(waiting)
      throw new AppError(
        'conflict',
        `${waiting.id} is about this message and is ${waiting.state}: decide on it first.`,
        { meta: { actionId: waiting.id } },
      )
    }
    const action = await createAction(tx, ctx, {
      ...{ kind: verb, state: 'proposed', reason, sourceId, key: place, evidence, evidenceHash },
      params: { by: 'messages', place, content },
      seen: { version },
    })
    if (payload !== undefined) await keepEdited(tx, action.id, payload, ctx.clock.now())
    const after = { sourceId, place, seen: version, content, evidenceHash }
    await append(tx, ctx, {
      ...{ verb: `message.${verb}`, subject: action.id, outcome: 'proposed', reason, after },
    })
    return actionView(action)
  })
}

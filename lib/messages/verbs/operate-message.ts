import { authoriseNow } from '@/lib/access/authorise-now'
import { whyWordIsGone } from '@/lib/actions/approval'
import { createAction } from '@/lib/actions/create'
import { commitIntent, type Intent } from '@/lib/actions/execute'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { type ActionView, actionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { reasonSchema } from '@/lib/core/reason'
import type { MessageVerb } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { carryOut } from './carry-out'
import { hashPayload } from './edited'
import { inspectMessage, type MessageTarget } from './inspect-message'
import { proposeMessage } from './propose-message'

/** Two people who agreed to a whole selection, which this message is of. */
export type Agreed = { actionId: string; proposerId: string | null; approverId: string | null }

export type OperateMessage = {
  sourceId: string
  place: string
  /** The version that was looked at. */
  version: string
  reason: string
  /** A redrive with other content: a new message that names this one. */
  payload?: Uint8Array | undefined
  runId?: string | undefined
  snapshotId?: string | undefined
  agreed?: Agreed | undefined
}

/** A second click comes within this. */
const REPEAT_WITHIN_MS = 60_000
const NEEDS_TWO = 'Money moves on this route, so it takes a second person: do this one by itself.'

/**
 * Publishes one dead message again, or ends it: intent committed with its audit entry, message and consumers' records read again,
 * one compare-and-set, result committed with its audit entry. Sent again by the same person it answers with the first act. Where
 * money moves it is only proposed here.
 */
export async function operateMessage(
  asked: Context,
  verb: MessageVerb,
  input: OperateMessage,
): Promise<ActionView> {
  const name = `message.${verb}` as const
  const ctx = await authoriseNow(asked, name)
  const reason = reasonSchema.parse(input.reason)
  await assertWritesEnabled(ctx.db)
  const { sourceId, place, version, payload, agreed } = input
  const target = { sourceId, place, version, payloadHash: hashPayload(payload) }
  if (input.snapshotId === undefined) {
    const looked = await inspectMessage(ctx, verb, target)
    if (looked.kind === 'ready' && looked.needsSecondPerson)
      return proposeMessage(ctx, verb, { ...target, version, reason, payload }, looked)
  }
  const intent = await commitIntent(ctx, name, (tx) => begin(tx, ctx, verb, { ...input, reason }, target))
  if (intent.kind === 'taken') return actionView(intent.action)
  return carryOut(ctx, {
    ...{ actionId: intent.action.id, verb, target, payload },
    async beforeCall({ needsSecondPerson }) {
      await authoriseNow(ctx, name)
      if (agreed !== undefined) return whyWordIsGone(ctx.db, agreed)
      return needsSecondPerson ? NEEDS_TWO : null
    },
  })
}

async function begin(
  tx: Tx,
  ctx: Context,
  verb: MessageVerb,
  input: OperateMessage,
  { payloadHash }: MessageTarget,
): Promise<Intent> {
  const { sourceId, place, version, reason, runId, snapshotId, agreed } = input
  const proposerId = ctx.actor.kind === 'user' ? ctx.actor.userId : null
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`message:${sourceId}:${place}`}, 0))`
  const since = new Date(ctx.clock.now().getTime() - REPEAT_WITHIN_MS)
  const content = payloadHash ?? 'as it was'
  const earlier = await tx.action.findFirst({
    where: {
      ...{ kind: verb, sourceId, key: place, proposerId },
      AND: [
        { seen: { path: ['version'], equals: version } },
        { params: { path: ['content'], equals: content } },
      ],
      OR: [
        { state: { in: ['executing', 'unknown'] } },
        { state: 'done', finishedAt: { gte: since } },
        ...(snapshotId === undefined
          ? []
          : [{ state: 'done', params: { path: ['snapshotId'], equals: snapshotId } }]),
      ],
    },
  })
  if (earlier !== null) return { kind: 'taken', action: earlier }
  const agreedOn = agreed === undefined ? {} : { agreedOn: agreed.actionId }
  const action = await createAction(tx, ctx, {
    ...{ kind: verb, state: 'executing', reason, sourceId, key: place, runId },
    params: { by: 'messages', place, content, snapshotId, ...agreedOn },
    seen: { version },
  })
  const after = { sourceId, place, seen: version, content, runId, ...agreedOn }
  return { kind: 'ours', action, audit: { outcome: 'intent', reason, after } }
}

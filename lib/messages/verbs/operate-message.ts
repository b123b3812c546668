import { authoriseNow } from '@/lib/access/authorise-now'
import { createAction } from '@/lib/actions/create'
import { type ActionResult, commitIntent, execute, type Intent } from '@/lib/actions/execute'
import { assertWritesEnabled } from '@/lib/actions/kill-switch'
import { type ActionView, actionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import { reasonSchema } from '@/lib/core/reason'
import type { MessageVerb } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { type MessageSource, SourceUnavailableError } from '@/lib/sources/contracts'
import { openMessageSource } from '@/lib/sources/registry'
import { askConsumers } from '../dedup/ask-consumers'
import type { MessageRefusalReason } from '../dedup/decide'
import { decideMessage } from '../read/read-message'

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
}

/** A second click comes within this. */
const REPEAT_WITHIN_MS = 60_000

/**
 * Publishes one dead message again, or ends it: intent committed with its audit entry, message and consumers' records read again,
 * one compare-and-set, result committed with its audit entry. Sent again by the same person it answers with the first act.
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
  const intent = await commitIntent(ctx, name, (tx) => begin(tx, ctx, verb, { ...input, reason }))
  if (intent.kind === 'taken') return actionView(intent.action)
  const { action } = await execute<ActionResult>(ctx, {
    id: intent.action.id,
    verb: name,
    // Until the next look it would be listed as dead still.
    note: async (tx, { state }) => {
      if (state === 'done') await markGone(tx, ctx, input)
    },
    async readAgain() {
      const { source } = await openMessageSource(ctx, input.sourceId)
      const { message } = await source.readMessage(input.place)
      if (message === null) return refused('gone', 'It is not there any more.')
      if (message.seen.version !== input.version)
        return refused('changed', 'It has changed since you looked.')
      const consumers = await askConsumers(ctx, source, message)
      if (verb === 'redrive') {
        const decision = decideMessage(message, source.capabilities, consumers)
        if (decision.kind === 'refused') return refused(decision.reason, decision.text, { consumers })
      } else if (!source.capabilities.canDiscard) {
        return refused('not_supported', source.capabilities.reasons?.discard ?? 'This source cannot end it.')
      }
      await authoriseNow(ctx, name)
      return { call: () => call(ctx, source, verb, intent.action.id, input, { consumers }) }
    },
    whenOff(off) {
      throw off
    },
  })
  return action
}

const refused = (
  reason: MessageRefusalReason,
  text: string,
  evidence: Record<string, unknown> = {},
): ActionResult => ({ state: 'refused', result: { reason, text, ...evidence } })

async function call(
  ctx: Context,
  source: MessageSource,
  verb: MessageVerb,
  actionId: string,
  { place, version, payload }: OperateMessage,
  evidence: Record<string, unknown>,
): Promise<ActionResult> {
  try {
    const outcome =
      verb === 'redrive'
        ? await source.redrive({ place, version }, { actionId, payload })
        : await source.discard({ place, version }, { actionId })
    if (outcome.kind === 'refused') return refused('changed', 'It has changed since you looked.', evidence)
    return { state: 'done', result: { messageId: outcome.id, ...evidence } }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    if (error instanceof SourceUnavailableError && error.refused)
      return refused('source_unreachable', text, evidence)
    ctx.log.error({ err: error, actionId }, `it is not known whether the ${verb} was applied`)
    return { state: 'unknown', result: { error: text, ...evidence } }
  }
}

async function markGone(
  tx: Tx,
  { clock }: Context,
  { sourceId, place, version }: OperateMessage,
): Promise<void> {
  await tx.$executeRaw`
    UPDATE messages.dead_letter SET gone_at = ${clock.now()}
    WHERE source_id = ${sourceId} AND place = ${place} AND version = ${version} AND gone_at IS NULL`
}

async function begin(tx: Tx, ctx: Context, verb: MessageVerb, input: OperateMessage): Promise<Intent> {
  const { sourceId, place, version, reason, runId, snapshotId } = input
  const proposerId = ctx.actor.kind === 'user' ? ctx.actor.userId : null
  await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended(${`message:${sourceId}:${place}`}, 0))`
  const since = new Date(ctx.clock.now().getTime() - REPEAT_WITHIN_MS)
  const earlier = await tx.action.findFirst({
    where: {
      kind: verb,
      sourceId,
      key: place,
      proposerId,
      seen: { path: ['version'], equals: version },
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
  const edited = input.payload === undefined ? {} : { edited: true }
  const action = await createAction(tx, ctx, {
    kind: verb,
    state: 'executing',
    reason,
    sourceId,
    key: place,
    runId,
    params: { by: 'messages', place, snapshotId, ...edited },
    seen: { version },
  })
  const after = { sourceId, place, seen: version, runId, ...edited }
  return { kind: 'ours', action, audit: { outcome: 'intent', reason, after } }
}

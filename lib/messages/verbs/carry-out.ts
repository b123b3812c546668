import { type ActionResult, execute } from '@/lib/actions/execute'
import type { ActionView } from '@/lib/actions/view'
import type { Context } from '@/lib/context'
import type { MessageVerb } from '@/lib/core/states'
import { noteEvidence } from '@/lib/locks/verbs/note-evidence'
import { type MessageSource, SourceUnavailableError } from '@/lib/sources/contracts'
import type { MessageRefusalReason } from '../dedup/decide'
import { type Inspected, inspectMessage, type MessageTarget } from './inspect-message'
import { saveOperatedLetter } from './save-operated-letter'

export type CarryOut = {
  actionId: string
  verb: MessageVerb
  target: MessageTarget
  payload: Uint8Array | undefined
  /** Whether its people still may, as the last thing before the call: throws where they may not; a text says why it must not be. */
  beforeCall(ready: Extract<Inspected, { kind: 'ready' }>): Promise<string | null>
}

/**
 * Carries out a committed intent on a message: it and its consumers' records are read again, and the source compares and sets on
 * the version that was seen. Throws `kill_switch` when writes were switched off meanwhile; nothing was changed then.
 */
export async function carryOut(
  ctx: Context,
  { actionId, verb, target, payload, beforeCall }: CarryOut,
): Promise<ActionView> {
  const { action, ended } = await execute<ActionResult>(ctx, {
    id: actionId,
    verb: `message.${verb}`,
    async readAgain() {
      const looked = await inspectMessage(ctx, verb, target)
      const { consumers } = looked
      if (looked.kind === 'refused') return refused(looked.reason, looked.text, { consumers })
      const why = await beforeCall(looked)
      if (why !== null) return refused('evidence_changed', why, { consumers })
      const { evidence, evidenceHash, source } = looked
      if ((await noteEvidence(ctx, actionId, { evidence, evidenceHash })) !== null)
        return refused('took_too_long', 'Reading the evidence took too long: nothing was changed.')
      return { call: () => call(ctx, source, { actionId, verb, target, payload }) }
    },
    whenOff(off) {
      throw off
    },
  })
  await saveOperatedLetter(ctx, target, ended)
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
  { actionId, verb, target: { place, version }, payload }: Omit<CarryOut, 'beforeCall'>,
): Promise<ActionResult> {
  const seen = { place, version: version ?? '' }
  try {
    const outcome =
      verb === 'redrive'
        ? await source.redrive(seen, { actionId, payload })
        : await source.discard(seen, { actionId })
    return outcome.kind === 'refused'
      ? refused('changed', 'It has changed since you looked.')
      : { state: 'done', result: { messageId: outcome.id } }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    // The source itself said no: nothing was changed.
    if (error instanceof SourceUnavailableError && error.refused) return refused('source_unreachable', text)
    ctx.log.error({ err: error, actionId }, `it is not known whether the ${verb} was applied`)
    return { state: 'unknown', result: { error: text } }
  }
}

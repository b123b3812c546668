import { evidenceHashOf } from '@/lib/actions/evidence-hash'
import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { MessageVerb } from '@/lib/core/states'
import { type MessageRow, type MessageSource, SourceUnavailableError } from '@/lib/sources/contracts'
import { openMessageSource } from '@/lib/sources/registry'
import { type ConsumerAsker, createConsumerAsker } from '../dedup/ask-consumers'
import type { ConsumerAnswer } from '../dedup/consumer-answer'
import { decideDiscard, decideMessage, isOver, type MessageRefusalReason } from '../dedup/decide'

export type MessageTarget = {
  sourceId: string
  place: string
  /** What was looked at; null = whatever is there now. */
  version: string | null
  /** Of the content that takes its place; null = it is sent as it is. */
  payloadHash: string | null
}

export type Inspected =
  | {
      kind: 'ready'
      source: MessageSource
      message: MessageRow
      consumers: ConsumerAnswer[]
      needsSecondPerson: boolean
      evidence: Record<string, unknown>
      evidenceHash: string
    }
  | {
      kind: 'refused'
      reason: MessageRefusalReason
      text: string
      consumers: ConsumerAnswer[]
    }

/**
 * Reads the message and the records of its consumers again and says whether the verb may be done: what the preview, a proposal
 * and the execution all go through. Never inside a transaction.
 */
export async function inspectMessage(
  ctx: SystemContext,
  verb: MessageVerb,
  { sourceId, place, version, payloadHash }: MessageTarget,
  asker: ConsumerAsker = createConsumerAsker(ctx),
): Promise<Inspected> {
  try {
    const { source } = await openMessageSource(ctx, sourceId)
    const { message: found } = await source.readMessage(place)
    if (found === null) return refuse('gone', 'It is not there any more.')
    const { payload: _, ...message } = found
    if (version !== null && message.seen.version !== version)
      return refuse('changed', 'It has changed since you looked.')
    const consumers = await asker.ask(source, message)
    const refusal =
      verb === 'discard'
        ? decideDiscard(message, source.capabilities)
        : decideMessage(message, source.capabilities, consumers, payloadHash !== null)
    if (refusal?.kind === 'refused') return refuse(refusal.reason, refusal.text, consumers)
    return {
      ...{ kind: 'ready', source, message, consumers },
      needsSecondPerson: needsSecondPerson(verb, consumers),
      ...evidenceOf(verb, message, consumers, payloadHash),
    }
  } catch (error) {
    if (!(error instanceof SourceUnavailableError || error instanceof AppError)) throw error
    return refuse('source_unreachable', error.message)
  }
}

const refuse = (reason: MessageRefusalReason, text: string, consumers: ConsumerAnswer[] = []): Inspected => ({
  kind: 'refused',
  reason,
  text,
  consumers,
})

/** Where money moves two people agree; what everybody has applied is discarded by one, since nothing is lost by it. */
export const needsSecondPerson = (verb: MessageVerb, consumers: readonly ConsumerAnswer[]): boolean =>
  consumers.some(({ movesMoney }) => movesMoney) && !(verb === 'discard' && consumers.every(isOver))

/** What an act rests on. Why a consumer says so may be told in other words the next time; what it says may not change. */
function evidenceOf(
  verb: MessageVerb,
  { id, topic, seen }: MessageRow,
  consumers: readonly ConsumerAnswer[],
  payloadHash: string | null,
) {
  const said = consumers.map(({ group, sourceId, state }) => ({ group, sourceId, state }))
  return {
    evidence: { messageId: id, topic, seen, consumers: [...consumers], payloadHash },
    evidenceHash: evidenceHashOf({ verb, seen, said, payloadHash }),
  }
}

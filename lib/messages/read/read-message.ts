import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { MessageCapabilities, MessageRow } from '@/lib/sources/contracts'
import { openMessageSource } from '@/lib/sources/registry'
import { askConsumers } from '../dedup/ask-consumers'
import type { ConsumerAnswer } from '../dedup/consumer-answer'
import { type Decision, decideRedrive } from '../dedup/decide'

export type MessageNow = {
  source: { id: string; name: string; system: string; capabilities: MessageCapabilities }
  message: MessageRow
  /** null = it is not read: too large, or gone. */
  payload: Uint8Array | null
  consumers: ConsumerAnswer[]
  /** Whether it may be published once more. */
  decision: Decision
}

/** A message and what its consumers know of it, read from their own engines now. Throws `not_found`. */
export async function readMessageNow(
  ctx: SystemContext,
  { sourceId, place }: { sourceId: string; place: string },
): Promise<MessageNow> {
  const { id, name, system, source } = await openMessageSource(ctx, sourceId)
  const { message: found } = await source.readMessage(place)
  if (found === null) throw new AppError('not_found', `${name} has no message ${place.slice(0, 100)}.`)
  const { payload, ...message } = found
  const consumers = await askConsumers(ctx, source, message)
  return {
    source: { id, name, system, capabilities: source.capabilities },
    ...{ message, payload, consumers },
    decision: decideMessage(message, source.capabilities, consumers),
  }
}

/** What the message itself forbids, and then what its consumers say. */
export function decideMessage(
  message: MessageRow,
  { canRedrive, reasons }: MessageCapabilities,
  consumers: readonly ConsumerAnswer[],
): Decision {
  if (message.state !== 'dead')
    return {
      kind: 'refused',
      reason: 'not_dead',
      text: `It is ${message.state}: only a dead message is sent again.`,
    }
  if (!canRedrive)
    return {
      kind: 'refused',
      reason: 'not_supported',
      text: reasons?.redrive ?? 'This source cannot publish it again.',
    }
  if (message.id === null)
    return {
      kind: 'refused',
      reason: 'no_id',
      text: 'It has no id, so no consumer could drop a second delivery.',
    }
  return decideRedrive(consumers)
}

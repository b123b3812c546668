import type { SystemContext } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import { isCredentialName, REDACTED, redactText } from '@/lib/core/redact'
import { redactJsonText } from '@/lib/core/redact-json'
import type { MessageCapabilities, MessageRow } from '@/lib/sources/contracts'
import { openMessageSource } from '@/lib/sources/registry'
import { createConsumerAsker } from '../dedup/ask-consumers'
import type { ConsumerAnswer } from '../dedup/consumer-answer'
import { type Decision, decideMessage } from '../dedup/decide'

export type MessageNow = {
  source: { id: string; name: string; system: string; capabilities: MessageCapabilities }
  message: MessageRow
  /** As JSON or text without secrets; null = it is neither, or too large. */
  payload: string | null
  /** The same as it is, where it has no secret: what can be edited. */
  editable: string | null
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
  const { payload, ...whole } = found
  const message: MessageRow = {
    ...whole,
    error: whole.error === null ? null : redactText(whole.error),
    headers: Object.fromEntries(
      Object.entries(whole.headers).map(([header, value]) => [
        header,
        isCredentialName(header) ? REDACTED : redactText(value),
      ]),
    ),
  }
  const consumers = await createConsumerAsker(ctx).ask(source, message)
  return {
    source: { id, name, system, capabilities: source.capabilities },
    ...{ message, ...shown(payload), consumers },
    decision: decideMessage(message, source.capabilities, consumers),
  }
}

function shown(bytes: Uint8Array | null): Pick<MessageNow, 'payload' | 'editable'> {
  const text = textOf(bytes)
  if (text === null) return { payload: null, editable: null }
  const payload = redactJsonText(text)
  // What was redacted would be sent as it is shown.
  const bare = (each: string) => each.replaceAll(/\s/g, '')
  return { payload, editable: bare(payload) === bare(text) ? text : null }
}

function textOf(bytes: Uint8Array | null): string | null {
  try {
    return bytes === null ? null : new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return null
  }
}

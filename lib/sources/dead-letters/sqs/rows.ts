import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs'
import { type MessageRow, SourceUnavailableError } from '../../contracts'
import { errorOf, groupOf, traceOf } from '../fault-headers'
import { queueName, type SqsConfig } from './config'

export const topicOf = ({ topic, sourceQueueUrl }: SqsConfig): string => topic ?? queueName(sourceQueueUrl)

/** In the form of the SDK’s publisher (sdk/messages/sqs-form.ts), and of anybody’s attributes. */
export function toRow(message: Message, config: SqsConfig): MessageRow & { payload: Uint8Array } {
  const { MessageId = '', Attributes = {}, MD5OfBody = '' } = message
  const headers = headersOf(message)
  const payload = payloadOf(message)
  const sentMs = Number(Attributes.SentTimestamp)
  return {
    // As the SDK’s consumer knows it: SQS keeps its own id over deliveries.
    id: textOf(message, 'message-id') ?? MessageId,
    topic: textOf(message, 'message-topic') ?? topicOf(config),
    key: textOf(message, 'message-key') ?? Attributes.MessageGroupId ?? null,
    type: textOf(message, 'message-type') ?? null,
    state: 'dead',
    publishedAt: Number.isFinite(sentMs) ? new Date(sentMs) : null,
    settledAt: null,
    attempts: Number(Attributes.ApproximateReceiveCount ?? 0),
    error: errorOf(headers),
    group: groupOf(headers) ?? config.group ?? null,
    traceId: traceOf(headers) ?? traceOf({ traceparent: textOf(message, 'traceparent') ?? '' }),
    headers,
    sizeBytes: payload.byteLength,
    actionId: null,
    seen: { place: MessageId, version: `${MD5OfBody}|${Attributes.SentTimestamp ?? ''}` },
    payload,
  }
}

const textOf = ({ MessageAttributes }: Message, name: string): string | undefined =>
  MessageAttributes?.[name]?.StringValue

function payloadOf(message: Message): Buffer {
  const encoding = textOf(message, 'message-encoding') === 'base64' ? 'base64' : 'utf8'
  return Buffer.from(message.Body ?? '', encoding)
}

/** Those of its publisher, and every other attribute that is a text. */
function headersOf(message: Message): Record<string, string> {
  const own = Object.entries(message.MessageAttributes ?? {}).flatMap(([name, { StringValue }]) =>
    StringValue === undefined || name === 'message-headers' ? [] : [[name, StringValue] as const],
  )
  return { ...Object.fromEntries(own), ...publishersHeaders(textOf(message, 'message-headers')) }
}

/** Anybody may write to a queue. */
function publishersHeaders(text: string | undefined): Record<string, string> {
  try {
    const parsed: unknown = JSON.parse(text ?? '{}')
    if (typeof parsed !== 'object' || parsed === null) return {}
    return Object.fromEntries(
      Object.entries(parsed).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
    )
  } catch {
    return {}
  }
}

const ATTRIBUTES_MAX = 10
const text = (StringValue: string): MessageAttributeValue => ({ DataType: 'String', StringValue })

/** What is sent in its place: the same attributes, with the id by which consumers know it. */
export function toSend(
  message: Message,
  id: string,
  edit: { payload: Uint8Array; replaces: string } | null,
): { body: string; attributes: Record<string, MessageAttributeValue> } {
  const attributes = { ...message.MessageAttributes }
  if (attributes['message-id'] === undefined && !room(attributes))
    throw new SourceUnavailableError(
      'It has ten attributes and none says its id: sent again its consumers would not know it.',
      { refused: true },
    )
  attributes['message-id'] = text(id)
  if (edit === null) return { body: message.Body ?? '', attributes }
  if (room(attributes)) attributes['idemscope-replaces'] = text(edit.replaces)
  const payload = Buffer.from(edit.payload)
  const encoded = attributes['message-encoding'] !== undefined || !isText(payload)
  if (encoded) attributes['message-encoding'] = text('base64')
  return { body: payload.toString(encoded ? 'base64' : 'utf8'), attributes }
}

const room = (attributes: object): boolean => Object.keys(attributes).length < ATTRIBUTES_MAX

const isText = (bytes: Buffer): boolean =>
  bytes.byteLength > 0 && Buffer.from(bytes.toString('utf8'), 'utf8').equals(bytes)

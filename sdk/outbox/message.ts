import type { Json } from '../effects/json'
import { IdempotencyUsageError } from '../errors'

/** What a service publishes. */
export type OutgoingMessage = {
  topic: string
  /** Messages of one key of a topic are published in order. Default: none, no order. */
  key?: string | null
  /** What happened, e.g. `order.paid`. */
  type: string
  /** JSON, or bytes with a `content-type` header of their own. */
  payload: Json | Uint8Array
  headers?: Readonly<Record<string, string>>
}

/** What a relay gives to a publisher. */
export type OutboxMessage = {
  /** The broker's deduplication id, and the key by which a consumer knows it. */
  id: string
  topic: string
  key: string | null
  type: string
  headers: Readonly<Record<string, string>>
  payload: Uint8Array
  createdAt: Date
  /** 1 for the first. */
  attempt: number
}

export type EncodedMessage = Omit<OutboxMessage, 'id' | 'createdAt' | 'attempt' | 'headers'> & {
  headers: Record<string, string>
}

/** What every broker here takes, with room for its own. */
const HEADERS_BYTES_MAX = 8_192
/** So that a topic is a Kafka topic, and a scope of a consumer. */
const TOPIC = /^[\x21-\x7e]{1,249}$/
const KEY_BYTES_MAX = 255

/** Throws IdempotencyUsageError with all that is wrong: at publish, where the service can still do something else. */
export function encodeMessage(message: OutgoingMessage, payloadBytesMax: number): EncodedMessage {
  const { topic, key = null, type, headers = {} } = message
  const payload = encodePayload(message.payload)
  const faults: string[] = []
  const check = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  check(TOPIC.test(topic), 'topic must be 1 to 249 visible characters without spaces')
  check(
    key === null || (isPlainText(key) && key !== '' && Buffer.byteLength(key) <= KEY_BYTES_MAX),
    `key must be 1 to ${KEY_BYTES_MAX} bytes of text without control characters`,
  )
  check(/^[\x21-\x7e]{1,200}$/.test(type), 'type must be 1 to 200 visible characters without spaces')
  check(
    Object.entries(headers).every(
      ([name, value]) => /^[A-Za-z0-9._-]{1,100}$/.test(name) && isPlainText(value),
    ),
    'headers must have names of letters, digits, dots, dashes and underscores, and texts without control characters',
  )
  check(
    Buffer.byteLength(JSON.stringify(headers)) <= HEADERS_BYTES_MAX,
    `headers must be at most ${HEADERS_BYTES_MAX} bytes`,
  )
  check(
    payload.byteLength <= payloadBytesMax,
    `payload has ${payload.byteLength} bytes, more than payloadBytesMax (${payloadBytesMax}): store it elsewhere and publish its address`,
  )
  if (faults.length > 0)
    throw new IdempotencyUsageError(`the message cannot be published: ${faults.join('; ')}`)
  const lowered = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  )
  const isJson = !(message.payload instanceof Uint8Array)
  return {
    topic,
    key,
    type,
    headers: { ...(isJson ? { 'content-type': 'application/json' } : {}), ...lowered },
    payload,
  }
}

function encodePayload(payload: Json | Uint8Array): Uint8Array {
  if (payload instanceof Uint8Array) return payload
  const text: string | undefined = JSON.stringify(payload)
  if (text === undefined)
    throw new IdempotencyUsageError('the message cannot be published: payload is not JSON')
  return Buffer.from(text)
}

const isPlainText = (text: unknown) =>
  typeof text === 'string' && text.isWellFormed() && !/\p{Cc}/u.test(text)

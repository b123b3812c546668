import type { IHeaders, KafkaMessage, Message } from 'kafkajs'
import type { MessageRow } from '../../contracts'
import { errorOf, groupOf, traceOf } from '../fault-headers'
import type { LetterState } from './actions'
import type { KafkaConfig } from './config'

/** Spring writes these as numbers in bytes. */
const NUMBERS = /^kafka_(dlt-)?original-(partition|offset|timestamp)$/

/** Whose dead letter it was is not the message’s own. */
const OF_DEATH = /^(kafka_(dlt-|exception|original-)|idemscope-(error|group)$)/

export const headersOf = (headers: IHeaders = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      const [one] = Array.isArray(value) ? value : [value]
      // Other clients write headers without a value.
      return !one ? [] : [[name, textOf(name, one)]]
    }),
  )

function textOf(name: string, value: Buffer | string): string {
  if (typeof value === 'string' || !NUMBERS.test(name)) return value.toString()
  if (value.length === 4) return String(value.readInt32BE())
  return value.length === 8 ? String(value.readBigInt64BE()) : value.toString()
}

/** As the SDK’s consumer knows it: without an id of its producer’s, by its place in the source topic. */
function idOf(headers: Record<string, string>): string | null {
  const original = (name: string) =>
    headers[`kafka_dlt-original-${name}`] ?? headers[`kafka_original-${name}`]
  const [topic, partition, offset] = [original('topic'), original('partition'), original('offset')]
  if (headers['message-id'] !== undefined) return headers['message-id']
  return topic === undefined || partition === undefined || offset === undefined
    ? null
    : `${topic}/${partition}/${offset}`
}

export const placeOf = (partition: number, offset: string): string => `${partition}/${offset}`

export function toRow(
  message: KafkaMessage,
  partition: number,
  { version, state, actionId }: LetterState,
  config: KafkaConfig,
): MessageRow & { payload: Uint8Array } {
  const headers = headersOf(message.headers)
  const payload = message.value ?? new Uint8Array()
  const publishedMs = Number(headers['kafka_dlt-original-timestamp'])
  const diedMs = Number(message.timestamp)
  return {
    id: idOf(headers),
    topic: headers['message-topic'] ?? config.topic ?? config.sourceTopic,
    key: message.key?.toString() ?? null,
    type: headers['message-type'] ?? null,
    state,
    publishedAt: publishedMs > 0 ? new Date(publishedMs) : null,
    settledAt: diedMs > 0 ? new Date(diedMs) : null,
    attempts: 0,
    error: errorOf(headers),
    group: groupOf(headers) ?? config.group ?? null,
    traceId: traceOf(headers),
    headers,
    sizeBytes: payload.byteLength,
    actionId,
    seen: { place: placeOf(partition, message.offset), version },
    payload,
  }
}

/** What is sent in its place, under the id by which consumers know it. */
export function toSend(
  message: KafkaMessage,
  id: string,
  actionId: string,
  edit: { payload: Uint8Array; replaces: string } | null,
): Message {
  const kept = Object.entries(message.headers ?? {}).filter(([name, value]) => value && !OF_DEATH.test(name))
  return {
    key: message.key,
    value: edit === null ? message.value : Buffer.from(edit.payload),
    headers: {
      ...Object.fromEntries(kept),
      'message-id': id,
      'idemscope-action': actionId,
      ...(edit === null ? {} : { 'idemscope-replaces': edit.replaces }),
    },
  }
}

import { createHash } from 'node:crypto'
import type { GetMessage } from 'amqplib'
import { z } from 'zod'
import type { MessageRow } from '../../contracts'
import { errorOf, groupOf, traceOf } from '../fault-headers'
import type { RabbitConfig } from './config'

/** The first is the last death. */
const deathsSchema = z
  .array(
    z.looseObject({
      queue: z.string(),
      reason: z.string(),
      count: z.coerce.number().default(1),
      time: z.looseObject({ value: z.coerce.number() }).optional(),
    }),
  )
  .catch([])

const deathsOf = ({ properties }: GetMessage) => deathsSchema.parse(properties.headers?.['x-death'] ?? [])

/** The queue that it died in; null = the broker did not put it here. */
export const diedIn = (message: GetMessage): string | null => deathsOf(message)[0]?.queue ?? null

/** How often it was delivered before, where the queue counts (quorum queues). */
export const deliveriesOf = ({ properties }: GetMessage): number | null => {
  const count: unknown = properties.headers?.['x-delivery-count']
  return typeof count === 'number' ? count : null
}

/** Counts of deliveries and deaths belong to the message’s life here, and not to it. */
const OWN = /^x-(death|first-death-|last-death-|delivery-count|acquired-count)/

export const withoutDeaths = (headers: Record<string, unknown> = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OWN.test(name)))

/** AMQP names no message: its content does, with its last death. Deliveries change nothing of it. */
export function digestOf(message: GetMessage): string {
  const { messageId, type, timestamp, correlationId, headers } = message.properties
  const [death] = deathsOf(message)
  const parts = [messageId, type, timestamp, correlationId, withoutDeaths(headers), death ?? null]
  return createHash('sha256').update(JSON.stringify(parts)).update(message.content).digest('hex').slice(0, 40)
}

/** `nth`: of messages that are the same in everything. */
export function toRow(
  message: GetMessage,
  nth: number,
  config: RabbitConfig,
): MessageRow & { payload: Uint8Array } {
  const { messageId, type, timestamp, headers: raw } = message.properties
  const headers = textsOf(raw)
  const deaths = deathsOf(message)
  const [death] = deaths
  const digest = digestOf(message)
  return {
    id: typeof messageId === 'string' && messageId !== '' ? messageId : null,
    topic: headers['message-topic'] ?? config.topic ?? config.sourceQueue,
    key: headers['message-key'] ?? null,
    type: typeof type === 'string' ? type : null,
    state: 'dead',
    publishedAt: typeof timestamp === 'number' ? new Date(timestamp * 1_000) : null,
    settledAt: death?.time === undefined ? null : new Date(death.time.value * 1_000),
    attempts: deaths.reduce((sum, { count }) => sum + count, 0),
    error:
      errorOf(headers) ??
      (death === undefined ? null : `${SAID[death.reason] ?? death.reason} in ${death.queue}`),
    group: groupOf(headers) ?? config.group ?? null,
    traceId: traceOf(headers),
    headers,
    sizeBytes: message.content.byteLength,
    actionId: headers['idemscope-action'] ?? null,
    seen: { place: nth === 0 ? digest : `${digest}-${nth}`, version: digest },
    payload: message.content,
  }
}

const SAID: Record<string, string> = {
  rejected: 'rejected by its consumer',
  expired: 'expired',
  maxlen: 'pushed out by newer messages',
  delivery_limit: 'delivered as often as its queue allows',
}

const textsOf = (headers: Record<string, unknown> = {}): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => {
      if (OWN.test(name) || value === null || value === undefined) return []
      if (Buffer.isBuffer(value)) return [[name, value.toString('utf8')]]
      return [[name, typeof value === 'object' ? JSON.stringify(value) : String(value)]]
    }),
  )

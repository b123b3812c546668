import { createHash } from 'node:crypto'
import type { OtlpSpan } from '../decode/span'
import { count, text } from './attributes'
import { readKeyHash } from './request'

export type DeliveryFact = {
  /** 32 hex characters: of system, destination, consumer and message id. The same for every delivery of a message. */
  messageHash: string
  messageId: string
  destination: string
  consumer: string
  /** null when not told */
  attempt: number | null
  /** the sender itself calls it a redelivery */
  told: boolean
  keyHash: string | null
}

/**
 * The processing of a message by a consumer: OpenTelemetry's messaging spans suffice. A message that several consumers
 * get is no redelivery, so the consumer (its group, else its service) is part of its identity.
 */
export function readDelivery(span: OtlpSpan, hash: (key: string) => string): DeliveryFact | null {
  const { attributes, resource } = span
  const operation = attributes['messaging.operation.type'] ?? attributes['messaging.operation']
  if (operation !== 'process') return null
  const messageId = text(attributes, 'messaging.message.id')
  if (messageId === null) return null
  const system = text(attributes, 'messaging.system', 128) ?? ''
  const destination = text(attributes, 'messaging.destination.name', 256) ?? ''
  const consumer =
    text(attributes, 'messaging.consumer.group.name', 128) ??
    text(attributes, 'messaging.kafka.consumer.group', 128) ??
    text(resource, 'service.name', 128) ??
    'unknown'
  const attempt = count(attributes, 'idempotency.delivery.attempt')
  const redelivered = attributes['idempotency.delivery.redelivered']
  return {
    messageHash: createHash('sha256')
      .update([system, destination, consumer, messageId].join('\0'))
      .digest('hex')
      .slice(0, 32),
    messageId,
    destination,
    consumer,
    attempt: attempt > 0 ? attempt : null,
    told: attempt > 1 || redelivered === true || redelivered === 'true',
    keyHash: readKeyHash(attributes, hash),
  }
}

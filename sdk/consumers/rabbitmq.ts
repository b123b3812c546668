import { type Clock, sleep, systemClock } from '../clock'
import type { Consumer } from '../consume'
import type { ConsumedMessage } from './delivery'

/** Of amqplib's channel. */
export type RabbitAcknowledger<M> = {
  ack(message: M): void
  nack(message: M, allUpTo: boolean, requeue: boolean): void
}

export type RabbitDelivery = {
  content: Buffer
  fields: { redelivered: boolean }
  properties: {
    messageId?: unknown
    type?: unknown
    contentType?: unknown
    headers?: Record<string, unknown> | undefined
  }
}

export type RabbitHandlerOptions<M> = {
  consumer: Consumer
  channel: RabbitAcknowledger<M>
  /** The channel may be gone when a message ends: it is delivered again. Default: nothing. */
  onError?: (error: unknown) => void
  clock?: Clock
}

/**
 * For `channel.consume(queue, rabbitHandler(…))`. A message that is to come later is kept for its delay before it is given back: bound
 * them by `channel.prefetch`. One that is parked is rejected without requeue: give the queue a dead-letter exchange, or it is gone.
 */
export function rabbitHandler<M extends RabbitDelivery>(
  options: RabbitHandlerOptions<M>,
): (message: M | null) => Promise<void> {
  const { consumer, channel, onError = () => {}, clock = systemClock } = options
  return async (message) => {
    // The broker has ended the subscription.
    if (message === null) return
    try {
      const ended = await consumer.handle(toMessage(message))
      if (ended.kind === 'done') return channel.ack(message)
      if (ended.kind === 'parked') return channel.nack(message, false, false)
      await sleep(clock, ended.delayMs)
      channel.nack(message, false, true)
    } catch (error) {
      onError(error)
    }
  }
}

function toMessage({ content, fields, properties }: RabbitDelivery): ConsumedMessage {
  const { messageId, type, contentType, headers = {} } = properties
  const texts = Object.entries(headers).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  )
  const count = headers['x-delivery-count']
  return {
    // Without one nothing tells two messages apart: it is parked.
    id: typeof messageId === 'string' ? messageId : '',
    type: typeof type === 'string' ? type : undefined,
    headers: {
      ...(typeof contentType === 'string' ? { 'content-type': contentType } : {}),
      ...Object.fromEntries(texts),
    },
    payload: content,
    // Quorum queues count, and not the first one; others only say that there was one.
    deliveryAttempt: typeof count === 'number' ? count + 1 : fields.redelivered ? undefined : 1,
    redelivered: fields.redelivered,
  }
}

import { z } from 'zod'
import { deadLetterParts, readEveryMs } from '../parts'

const queue = z.string().min(1).max(255)

export const rabbitConfigSchema = z.strictObject({
  /** The queue of dead letters, and the queue that a redriven message goes back to. */
  queue,
  sourceQueue: queue,
  ...deadLetterParts,
  readEveryMs,
  /**
   * `x-delivery-limit` of a quorum queue of dead letters: each look is a delivery, and beyond it the broker drops the message. null =
   * it has none. 20 is RabbitMQ 4’s own; classic queues count nothing.
   */
  deliveryLimit: z.int().min(1).nullable().default(20),
})
export type RabbitConfig = z.infer<typeof rabbitConfigSchema>

/** `queue`: the one to look at before it is connected. */
export const rabbitSecretSchema = z.strictObject({
  url: z.url({ protocol: /^amqps?$/ }),
  queue: queue.optional(),
})
export type RabbitSecret = z.infer<typeof rabbitSecretSchema>

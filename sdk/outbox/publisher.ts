import type { OutboxMessage } from './message'

/** How a relay speaks to a broker. */
export type Publisher = {
  /** As `messaging.system`: kafka, aws_sqs, rabbitmq, webhook. */
  readonly system: string
  /**
   * Whether a batch keeps the order of each key by itself: when one of its messages fails, none behind it of the same key is
   * published. Otherwise a batch never has two messages of one key.
   */
  readonly keepsOrder: boolean
  /** The largest batch. Default: no limit of its own. */
  readonly batchMax?: number
  /**
   * One result for each message, in their order, once the broker has answered for it. Throws when nothing was learnt: the broker
   * cannot be reached, or the signal aborted. All are then published again, with the same ids.
   */
  publish(messages: readonly OutboxMessage[], signal: AbortSignal): Promise<PublishResult[]>
}

export type PublishResult =
  | { kind: 'confirmed' }
  /** The broker refuses this message. `permanent`: it always will, so the message is dead at once. */
  | { kind: 'refused'; error: string; permanent?: boolean }

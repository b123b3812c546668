import { createHash } from 'node:crypto'
import {
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  type SendMessageBatchResult,
} from '@aws-sdk/client-sqs'
import { sqsAttributes, sqsBody } from '../messages/sqs-form'
import type { OutboxMessage } from '../outbox/message'
import type { Publisher, PublishResult } from '../outbox/publisher'

export type SqsSender = {
  send(
    command: SendMessageBatchCommand,
    options: { abortSignal: AbortSignal },
  ): Promise<SendMessageBatchResult>
}

export type SqsPublisherOptions = {
  /** An SQSClient. */
  client: SqsSender
  /** One queue, or one for each message, e.g. by its topic. A FIFO queue's ends in `.fifo`. */
  queueUrl: string | ((message: OutboxMessage) => string)
}

/** Bounds of SendMessageBatch, for queues that still have the smaller one. */
const ENTRIES_MAX = 10
const BATCH_BYTES_MAX = 262_144
const ENVELOPE_BYTES = 1_024

/**
 * SQS. On a FIFO queue the key is the message group (without one each message is its own), and the id is the deduplication id: SQS drops
 * what comes again within five minutes, and no longer; a consumer has to drop the rest. A standard queue keeps no order.
 */
export function createSqsPublisher({ client, queueUrl }: SqsPublisherOptions): Publisher {
  const queueOf = typeof queueUrl === 'string' ? () => queueUrl : queueUrl

  async function send(queue: string, messages: readonly OutboxMessage[], signal: AbortSignal) {
    const Entries = messages.map((message, at) => toEntry(message, at, queue.endsWith('.fifo')))
    const answer = await client.send(new SendMessageBatchCommand({ QueueUrl: queue, Entries }), {
      abortSignal: signal,
    })
    const refused = new Map(answer.Failed?.map((each) => [each.Id, `${each.Code}: ${each.Message ?? ''}`]))
    const confirmed = new Set(answer.Successful?.map(({ Id }) => Id))
    return messages.map((message, at): [string, PublishResult] => {
      const error =
        refused.get(String(at)) ?? (confirmed.has(String(at)) ? undefined : 'SQS did not answer for it')
      return [message.id, error === undefined ? { kind: 'confirmed' } : { kind: 'refused', error }]
    })
  }

  return {
    system: 'aws_sqs',
    // Of a batch any entry may fail alone.
    keepsOrder: false,
    async publish(messages, signal) {
      const results = new Map<string, PublishResult>()
      for (const { queue, batch } of batches(messages, queueOf))
        for (const [id, result] of await send(queue, batch, signal)) results.set(id, result)
      return messages.map(
        ({ id }) => results.get(id) ?? { kind: 'refused', error: 'SQS did not answer for it' },
      )
    },
  }
}

function batches(messages: readonly OutboxMessage[], queueOf: (message: OutboxMessage) => string) {
  const all: { queue: string; batch: OutboxMessage[]; bytes: number }[] = []
  const open = new Map<string, (typeof all)[number]>()
  for (const message of messages) {
    const queue = queueOf(message)
    const bytes =
      Buffer.byteLength(sqsBody(message)) + JSON.stringify(message.headers).length + ENVELOPE_BYTES
    let current = open.get(queue)
    if (
      current === undefined ||
      current.batch.length >= ENTRIES_MAX ||
      current.bytes + bytes > BATCH_BYTES_MAX
    ) {
      current = { queue, batch: [], bytes: 0 }
      open.set(queue, current)
      all.push(current)
    }
    current.batch.push(message)
    current.bytes += bytes
  }
  return all
}

const toEntry = (message: OutboxMessage, at: number, fifo: boolean): SendMessageBatchRequestEntry => ({
  Id: String(at),
  MessageBody: sqsBody(message),
  MessageAttributes: sqsAttributes(message),
  ...(fifo ? { MessageGroupId: groupOf(message), MessageDeduplicationId: message.id } : {}),
})

/** SQS takes letters, digits and punctuation, 128 at most: what does not fit is named by its hash. */
const groupOf = ({ id, topic, key }: OutboxMessage): string => {
  const group = key === null ? id : `${topic}/${key}`
  return /^[\x21-\x7e]{1,128}$/.test(group) ? group : createHash('sha256').update(group).digest('hex')
}

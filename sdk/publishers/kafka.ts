import type { OutboxMessage } from '../outbox/message'
import type { Publisher } from '../outbox/publisher'

/** What kafkajs and the KafkaJS interface of `@confluentinc/kafka-javascript` have in common. */
export type KafkaProducer = {
  sendBatch(batch: { acks?: number; topicMessages: KafkaTopicMessages[] }): Promise<unknown>
}

export type KafkaTopicMessages = {
  topic: string
  messages: { key: string | null; value: Buffer; headers: Record<string, string>; timestamp: string }[]
}

export type KafkaPublisherOptions = {
  /** Connected; idempotent where the broker has it, with retries of its own. */
  producer: KafkaProducer
  /** -1 = all in-sync replicas. null where it belongs to the producer's own configuration (Confluent's client). Default -1. */
  acks?: -1 | null
  batchMax?: number
}

/** Faults of a message or of its topic: the broker is there, and refuses. */
const REFUSED = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'INVALID_TOPIC_EXCEPTION',
  'POLICY_VIOLATION',
  'TOPIC_AUTHORIZATION_FAILED',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
])

/**
 * Kafka: the key chooses the partition, so its order is that of the log; a message's id is the header `message-id`. One without a key goes
 * to any partition.
 */
export function createKafkaPublisher({
  producer,
  acks = -1,
  batchMax = 1_000,
}: KafkaPublisherOptions): Publisher {
  return {
    system: 'kafka',
    // What one batch has for a partition is written as one, or not at all.
    keepsOrder: true,
    batchMax,
    async publish(messages) {
      try {
        await producer.sendBatch({ ...(acks === null ? {} : { acks }), topicMessages: byTopic(messages) })
        return messages.map(() => ({ kind: 'confirmed' }))
      } catch (error) {
        // Of several it is not known which: the relay tries them one by one.
        if (messages.length > 1 || !isRefusal(error)) throw error
        return [{ kind: 'refused', error: String(error) }]
      }
    },
  }
}

function byTopic(messages: readonly OutboxMessage[]): KafkaTopicMessages[] {
  const topics = new Map<string, KafkaTopicMessages>()
  for (const { id, topic, key, type, headers, payload, createdAt } of messages) {
    const batch = topics.get(topic) ?? { topic, messages: [] }
    topics.set(topic, batch)
    batch.messages.push({
      key,
      value: Buffer.from(payload),
      headers: { ...headers, 'message-id': id, 'message-type': type },
      timestamp: String(createdAt.getTime()),
    })
  }
  return [...topics.values()]
}

/** Clients wrap what the broker said. */
function isRefusal(error: unknown): boolean {
  for (let each = error, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++) {
    const type = 'type' in each ? each.type : 'code' in each ? each.code : undefined
    if (typeof type === 'string' && REFUSED.has(type)) return true
  }
  return false
}

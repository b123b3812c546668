import type { Publisher } from '@/sdk/outbox'
import type { RelayEnv } from './env'

export type OpenPublisher = { publisher: Publisher; close(): Promise<void> }

/** Opens the publisher that is configured; its client is an optional dependency, loaded only then. */
export async function openPublisher(env: RelayEnv): Promise<OpenPublisher> {
  switch (env.RELAY_PUBLISHER) {
    case 'webhook': {
      const { createWebhookPublisher } = await import('@/sdk/publishers/webhook')
      const options = { url: env.RELAY_WEBHOOK_URL, secret: env.RELAY_WEBHOOK_SECRET.split(',') }
      return { publisher: createWebhookPublisher(options), close: async () => {} }
    }
    case 'kafka': {
      const { Kafka } = await load('kafkajs', () => import('kafkajs'))
      const { createKafkaPublisher } = await import('@/sdk/publishers/kafka')
      const kafka = new Kafka({ clientId: 'idemscope-relay', brokers: env.RELAY_KAFKA_BROKERS.split(',') })
      const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 })
      await producer.connect()
      return { publisher: createKafkaPublisher({ producer }), close: () => producer.disconnect() }
    }
    case 'sqs': {
      const { SQSClient } = await load('@aws-sdk/client-sqs', () => import('@aws-sdk/client-sqs'))
      const { createSqsPublisher } = await import('@/sdk/publishers/sqs')
      const client = new SQSClient({ useQueueUrlAsEndpoint: true })
      const publisher = createSqsPublisher({ client, queueUrl: env.RELAY_SQS_QUEUE_URL })
      return { publisher, close: async () => client.destroy() }
    }
    case 'rabbitmq': {
      const { connect } = await load('amqplib', () => import('amqplib'))
      const { createRabbitPublisher } = await import('@/sdk/publishers/rabbitmq')
      const publisher = createRabbitPublisher({
        connect: () => connect(env.RELAY_RABBITMQ_URL),
        exchange: env.RELAY_RABBITMQ_EXCHANGE,
      })
      return { publisher, close: publisher.close }
    }
  }
}

async function load<T>(name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (cause) {
    throw new Error(`The relay cannot start: install ${name} beside it.`, { cause })
  }
}

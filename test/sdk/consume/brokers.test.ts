import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand } from '@aws-sdk/client-sqs'
import amqp from 'amqplib'
import { Kafka, logLevel } from 'kafkajs'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type ConsumeHandler, consume } from '@/sdk/consume'
import { kafkaEachMessage } from '@/sdk/consumers/kafka'
import { rabbitHandler } from '@/sdk/consumers/rabbitmq'
import { createSqsConsumer, sqsLambdaHandler } from '@/sdk/consumers/sqs'
import { createOutbox, createRelay, type Publisher } from '@/sdk/outbox'
import { createKafkaPublisher } from '@/sdk/publishers/kafka'
import { createRabbitPublisher } from '@/sdk/publishers/rabbitmq'
import { createSqsPublisher } from '@/sdk/publishers/sqs'
import { hasKafka, startKafka } from '../../support/kafka-brokers'
import { hasRabbit, startRabbit } from '../../support/rabbit-server'
import { startSqs } from '../../support/sqs-server'
import { drain, inTransaction, message } from '../outbox/fixture'
import { createGate, createStoreFixture, KEY_SECRET, type StoreFixture } from '../support'

let fixture: StoreFixture
const outbox = createOutbox()
beforeAll(async () => {
  fixture = await createStoreFixture()
})
afterAll(() => fixture.close())

const consumer = (topic: string, handler: ConsumeHandler<pg.PoolClient>) =>
  consume<pg.PoolClient>(
    { store: fixture.store, group: 'inventory', topic, keySecret: KEY_SECRET, random: () => 0 },
    handler,
  )

async function publish(publisher: Publisher, topic: string, ...types: string[]): Promise<string[]> {
  const relay = createRelay({ pool: fixture.pool, publisher, listen: false })
  const ids = await inTransaction(fixture.pool, (tx) =>
    outbox.publishAll(
      tx,
      types.map((type) => message(type, 'k', topic)),
    ),
  )
  await drain(relay)
  return ids
}

describe.skipIf(!hasKafka())('Kafka (librdkafka1 needed)', () => {
  test('what is in the log twice is applied once, in order, and offsets follow; poison is parked', async () => {
    const kafka = await startKafka()
    onTestFinished(kafka.close)
    await kafka.createTopic('orders', 1)
    const client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING })
    const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const publisher = createKafkaPublisher({ producer })
    await publish(publisher, 'orders', 'm1', 'poison', 'm2')
    // As after a relay that was killed before it had marked them.
    await fixture.query("UPDATE idem_outbox SET state = 'P', attempts = 0")
    await drain(createRelay({ pool: fixture.pool, publisher, listen: false }))
    await publish(publisher, 'orders', 'last')
    const applied: string[] = []
    const parked: string[] = []
    const last = createGate()
    const reader = client.consumer({ groupId: 'inventory' })
    await reader.connect()
    await reader.subscribe({ topic: 'orders', fromBeginning: true })
    const committed: string[] = []
    const eachMessage = kafkaEachMessage({
      kafka: {
        async commitOffsets(offsets) {
          await reader.commitOffsets(offsets)
          committed.push(...offsets.map(({ offset }) => offset))
          if (applied.at(-1) === 'last') last.resolve()
        },
      },
      consumer: consumer('orders', ({ type = '' }) => {
        if (type === 'poison') throw new Error('cannot be read')
        applied.push(type)
      }),
      park: async ({ type = '' }, reason) => void parked.push(`${type} ${reason}`),
      attemptsMax: 1,
    })
    await reader.run({ autoCommit: false, eachMessage })
    await last.promise
    await reader.disconnect()
    await producer.disconnect()
    expect(applied).toEqual(['m1', 'm2', 'last'])
    expect(parked).toEqual(['poison failed', 'poison failed'])
    expect(committed).toEqual(['1', '2', '3', '4', '5', '6', '7'])
  })
})

describe('SQS (an emulator)', () => {
  let sqs: Awaited<ReturnType<typeof startSqs>>
  beforeAll(async () => {
    sqs = await startSqs()
  })
  afterAll(() => sqs.close())
  async function createQueue(name: string) {
    const Attributes = {
      MessageRetentionPeriod: '345600',
      ...(name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}),
    }
    const { QueueUrl = '' } = await sqs.client.send(new CreateQueueCommand({ QueueName: name, Attributes }))
    return QueueUrl
  }
  const left = async (queueUrl: string) => {
    const AttributeNames = [
      'ApproximateNumberOfMessages' as const,
      'ApproximateNumberOfMessagesNotVisible' as const,
    ]
    const { Attributes } = await sqs.client.send(
      new GetQueueAttributesCommand({ QueueUrl: queueUrl, AttributeNames }),
    )
    return Object.values(Attributes ?? {}).map(Number)
  }

  test('a duplicate beyond SQS’s own five minutes is deleted without executing', async () => {
    const queueUrl = await createQueue('standard')
    const publisher = createSqsPublisher({ client: sqs.client, queueUrl })
    await publish(publisher, 'sqs-orders', 'm1', 'm2')
    await fixture.query("UPDATE idem_outbox SET state = 'P' WHERE topic = 'sqs-orders'")
    await drain(createRelay({ pool: fixture.pool, publisher, listen: false }))
    const applied: string[] = []
    const reader = createSqsConsumer({
      client: sqs.client,
      queueUrl,
      waitTimeS: 0,
      consumer: consumer('sqs-orders', ({ type = '', payload }) => {
        expect(JSON.parse(Buffer.from(payload).toString())).toEqual({ type })
        applied.push(type)
      }),
    })
    while ((await left(queueUrl)).some((count) => count > 0)) await reader.pollOnce()
    expect(applied.toSorted()).toEqual(['m1', 'm2'])
  })

  test('what fails stays, hidden for its delay, and the queue’s retention is compared', async () => {
    const queueUrl = await createQueue('failing')
    await sqs.client.send(new SendMessageCommand({ QueueUrl: queueUrl, MessageBody: '{}' }))
    const warnings: string[] = []
    let fails = true
    const one = consume<pg.PoolClient>(
      {
        store: fixture.store,
        group: 'inventory',
        topic: 'failing',
        keySecret: KEY_SECRET,
        onUsageWarning: ({ message }) => void warnings.push(message),
      },
      () => {
        if (fails) throw new Error('later')
      },
    )
    const reader = createSqsConsumer({ client: sqs.client, queueUrl, waitTimeS: 0, consumer: one })
    await reader.checkRetention()
    expect(await reader.pollOnce()).toBe(1)
    expect(await left(queueUrl)).toEqual([0, 1])
    fails = false
    while ((await left(queueUrl)).some((count) => count > 0)) await reader.pollOnce()
    expect(warnings).toEqual([expect.stringContaining('the broker may deliver a message again for 345600 s')])
  })

  test('Lambda: failed messages are named, and in a group all behind them', async () => {
    const record = (id: string, group?: string) => ({
      messageId: `aws-${id}`,
      body: '{}',
      attributes: { ApproximateReceiveCount: '1', MessageGroupId: group },
      messageAttributes: { 'message-id': { stringValue: id } },
    })
    const ran: string[] = []
    const handle = sqsLambdaHandler(
      consumer('lambda', ({ id }) => {
        ran.push(id)
        if (id === 'l2') throw new Error('no')
      }),
    )
    const event = {
      Records: [record('l1', 'a'), record('l2', 'a'), record('l3', 'a'), record('l4', 'b'), record('l5')],
    }
    expect(await handle(event)).toEqual({
      batchItemFailures: [{ itemIdentifier: 'aws-l2' }, { itemIdentifier: 'aws-l3' }],
    })
    expect(ran.toSorted()).toEqual(['l1', 'l2', 'l4', 'l5'])
  })
})

describe.skipIf(!hasRabbit())('RabbitMQ (rabbitmq-server needed)', () => {
  test('is acknowledged once applied, given back when it failed, and dead-lettered when it is parked', async () => {
    const rabbit = await startRabbit()
    onTestFinished(rabbit.close)
    const connection = await amqp.connect(rabbit.url)
    connection.on('error', () => {})
    const channel = await connection.createChannel()
    await channel.assertQueue('parked', { durable: true })
    const deadLetterArguments = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': 'parked' }
    await channel.assertQueue('rabbit-orders', { durable: true, arguments: deadLetterArguments })
    const publisher = createRabbitPublisher({ connect: () => amqp.connect(rabbit.url) })
    const [first] = await publish(publisher, 'rabbit-orders', 'm1', 'unknown', 'm2')
    await fixture.query("UPDATE idem_outbox SET state = 'P' WHERE topic = 'rabbit-orders' AND id = $1", [
      first,
    ])
    await drain(createRelay({ pool: fixture.pool, publisher, listen: false }))
    const applied: string[] = []
    let failures = 0
    const handle = rabbitHandler<amqp.ConsumeMessage>({
      channel,
      consumer: consumer('rabbit-orders', async ({ type = '' }, ctx) => {
        if (type === 'm2' && failures++ === 0) throw new Error('not yet')
        if (type === 'unknown')
          await ctx.effect('charge', { name: 'x', providerKeyed: false }, async () => {
            throw new Error('timeout')
          })
        applied.push(type)
      }),
    })
    await channel.consume('rabbit-orders', (delivery) => void handle(delivery))
    const inQueue = async (name: string) => (await channel.checkQueue(name)).messageCount
    await expect.poll(async () => [applied.toSorted(), await inQueue('parked')]).toEqual([['m1', 'm2'], 1])
    await publisher.close()
    await connection.close()
  })
})

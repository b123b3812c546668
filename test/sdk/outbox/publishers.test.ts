import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { CreateQueueCommand, ReceiveMessageCommand } from '@aws-sdk/client-sqs'
import amqp from 'amqplib'
import { Kafka, logLevel } from 'kafkajs'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createKafkaPublisher } from '@/sdk/publishers/kafka'
import { createRabbitPublisher } from '@/sdk/publishers/rabbitmq'
import { createSqsPublisher } from '@/sdk/publishers/sqs'
import { createWebhookPublisher } from '@/sdk/publishers/webhook'
import { hasKafka, startKafka } from '../../support/kafka-brokers'
import { hasRabbit, startRabbit } from '../../support/rabbit-server'
import { startSqs } from '../../support/sqs-server'
import { createOutboxFixture, drain, message, type OutboxFixture, relayOn, work } from './fixture'

let fixture: OutboxFixture
const LATE = { backoffBaseMs: 3_600_000, backoffMaxMs: 3_600_000, random: () => 0.5 }
beforeAll(async () => {
  fixture = await createOutboxFixture()
})
beforeEach(() => fixture.pool.query('DELETE FROM idem_outbox'))
afterAll(() => fixture.close())

describe('webhook', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
  type Received = { headers: IncomingMessage['headers']; body: string }

  async function startReceiver(answer: (received: Received) => number) {
    const received: Received[] = []
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      const one = { headers: request.headers, body: Buffer.concat(chunks).toString() }
      received.push(one)
      response.writeHead(answer(one)).end('said')
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    onTestFinished(() => {
      server.close()
    })
    return { received, server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` }
  }

  test('is signed so that the reference library verifies it, with the message’s id', async () => {
    const { received, url } = await startReceiver(() => 204)
    const [id] = await fixture.publish(message('order.paid', 'k'))
    const other = `whsec_${Buffer.alloc(24, 9).toString('base64')}`
    await drain(relayOn(fixture, createWebhookPublisher({ url, secret: [secret, other] })))
    expect(received).toHaveLength(1)
    const [{ headers, body } = { headers: {}, body: '' }] = received
    for (const each of [secret, other])
      expect(new Webhook(each).verify(body, headers as Record<string, string>)).toEqual({
        type: 'order.paid',
      })
    expect(headers).toMatchObject({
      'webhook-id': id,
      'webhook-topic': 'orders',
      'webhook-type': 'order.paid',
    })
  })

  test('a refusal is the message’s own fault, 410 for ever, 503 of all the receiver’s', async () => {
    const answers: Record<string, number> = { a: 400, b: 410, c: 200 }
    const { received, server, url } = await startReceiver(
      ({ headers }) => answers[String(headers['webhook-type'])] ?? 503,
    )
    await fixture.publish(message('a', 'a'), message('b', 'b'), message('c', 'c'))
    const relay = relayOn(fixture, createWebhookPublisher({ url, secret }), {
      lanesMax: 32,
      batch: 320,
      ...LATE,
    })
    expect(await work(relay)).toMatchObject({ sent: 1, retried: 1, dead: 1, unavailable: null })
    await fixture.publish(message('d', 'd'))
    expect(await work(relay)).toMatchObject({ unavailable: { message: 'the receiver answered 503 said' } })
    server.close()
    server.closeAllConnections()
    expect((await work(relay)).unavailable).toMatchObject({ message: 'fetch failed' })
    expect(await fixture.states()).toEqual({ a: 'R', b: 'D', c: 'S', d: 'P' })
    expect(received).toHaveLength(4)
  })

  test('refuses a secret that is too short', () => {
    expect(() => createWebhookPublisher({ url: 'https://x.test', secret: 'whsec_abc' })).toThrow(
      /secret must be whsec_/,
    )
  })
})

describe.skipIf(!hasKafka())('Kafka (librdkafka1 needed)', () => {
  let kafka: Awaited<ReturnType<typeof startKafka>>
  let client: Kafka
  beforeAll(async () => {
    kafka = await startKafka()
    client = new Kafka({
      brokers: kafka.brokers,
      logLevel: logLevel.NOTHING,
      retry: { retries: 3, initialRetryTime: 50 },
    })
  })
  afterAll(() => kafka.close())
  const PRODUCE = 0

  async function connectProducer() {
    const producer = client.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { retries: 3, initialRetryTime: 50 },
    })
    await producer.connect()
    onTestFinished(() => producer.disconnect())
    return producer
  }

  /** All that is in the log, by partition. */
  async function readLog(topic: string, count: number) {
    const consumer = client.consumer({ groupId: `read-${topic}` })
    await consumer.connect()
    await consumer.subscribe({ topic, fromBeginning: true })
    const log: { partition: number; key: string | undefined; type: string; id: string }[] = []
    await new Promise<void>((read) => {
      void consumer.run({
        eachMessage: async ({ partition, message: { key, headers } }) => {
          log.push({
            partition,
            key: key?.toString(),
            type: String(headers?.['message-type']),
            id: String(headers?.['message-id']),
          })
          if (log.length >= count) read()
        },
      })
    })
    await consumer.disconnect()
    return log
  }

  test('each key is in order in one partition, with ids, though errors come between', async () => {
    await kafka.createTopic('ordered', 4)
    const ids = await fixture.publish(
      ...Array.from({ length: 40 }, (_, n) => message(`m${n}`, `k${n % 5}`, 'ordered')),
    )
    await kafka.errors(PRODUCE, 7, 7)
    await drain(relayOn(fixture, createKafkaPublisher({ producer: await connectProducer() }), { batch: 16 }))
    const log = await readLog('ordered', 40)
    expect(new Set(log.map(({ id }) => id))).toEqual(new Set(ids))
    for (let key = 0; key < 5; key++) {
      const own = log.filter((each) => each.key === `k${key}`)
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1)
      expect(own.map(({ type }) => type)).toEqual(Array.from({ length: 8 }, (_, n) => `m${n * 5 + key}`))
    }
  })

  test('a message that the broker refuses is named, and its batch goes on without it', async () => {
    await kafka.createTopic('mixed', 2)
    await fixture.publish(
      message('good', 'a', 'mixed'),
      message('bad', 'b', 'in/valid'),
      message('fine', 'c', 'mixed'),
    )
    const producer = await connectProducer()
    const refusing = {
      sendBatch: (batch: Parameters<typeof producer.sendBatch>[0]) =>
        batch.topicMessages?.some(({ topic }) => topic === 'in/valid')
          ? Promise.reject(Object.assign(new Error('Invalid topic'), { type: 'INVALID_TOPIC_EXCEPTION' }))
          : producer.sendBatch(batch),
    }
    const relay = relayOn(fixture, createKafkaPublisher({ producer: refusing }), {
      lanesMax: 32,
      batch: 320,
      ...LATE,
    })
    expect(await work(relay)).toMatchObject({ sent: 2, retried: 1, unavailable: null })
    expect(await fixture.states()).toEqual({ good: 'S', bad: 'R', fine: 'S' })
  })

  test('brokers that are down cost no attempt, and a lost answer publishes twice under one id', async () => {
    await kafka.createTopic('outage', 2)
    const [id] = await fixture.publish(message('m', 'k', 'outage'))
    const relay = relayOn(fixture, createKafkaPublisher({ producer: await connectProducer() }))
    await kafka.down()
    expect((await work(relay)).unavailable).not.toBeNull()
    expect((await fixture.pool.query('SELECT state, attempts FROM idem_outbox')).rows).toEqual([
      { state: 'P', attempts: 0 },
    ])
    await kafka.up()
    await kafka.dropReplyOf(PRODUCE)
    while ((await work(relay)).kind !== 'idle');
    const log = await readLog('outage', 2)
    expect(log.map((each) => each.id)).toEqual([id, id])
  })
})

describe('SQS (an emulator)', () => {
  let sqs: Awaited<ReturnType<typeof startSqs>>
  beforeAll(async () => {
    sqs = await startSqs()
  })
  afterAll(() => sqs.close())
  const createQueue = async (name: string) => {
    const Attributes = name.endsWith('.fifo') ? { FifoQueue: 'true' } : undefined
    const { QueueUrl = '' } = await sqs.client.send(new CreateQueueCommand({ QueueName: name, Attributes }))
    return QueueUrl
  }
  async function receiveAll(queueUrl: string, count: number) {
    const all: { group: string | undefined; type: string | undefined; body: string | undefined }[] = []
    while (all.length < count) {
      const { Messages = [] } = await sqs.client.send(
        new ReceiveMessageCommand({
          QueueUrl: queueUrl,
          MaxNumberOfMessages: 10,
          MessageAttributeNames: ['All'],
          MessageSystemAttributeNames: ['All'],
          VisibilityTimeout: 0,
        }),
      )
      for (const { Attributes, MessageAttributes, Body } of Messages)
        all.push({
          group: Attributes?.MessageGroupId,
          type: MessageAttributes?.['message-type']?.StringValue,
          body: Body,
        })
      if (Messages.length === 0) break
    }
    return all
  }

  test('FIFO: the key is the group and the id the deduplication id: published twice, it is there once', async () => {
    const queueUrl = await createQueue('orders.fifo')
    await fixture.publish(message('m1', 'k'), message('other', 'ü k'))
    const publisher = createSqsPublisher({ client: sqs.client, queueUrl })
    await drain(relayOn(fixture, publisher))
    await fixture.pool.query("UPDATE idem_outbox SET state = 'P'")
    await drain(relayOn(fixture, publisher))
    const received = await receiveAll(queueUrl, 2)
    expect(new Set(received.map(({ group }) => group))).toEqual(
      new Set(['orders/k', expect.stringMatching(/^[0-9a-f]{64}$/)]),
    )
    expect(new Set(received.map(({ type }) => type))).toEqual(new Set(['m1', 'other']))
  })

  test('standard: bytes travel as base64, more than ten in several requests, and a missing queue is no message’s fault', async () => {
    const queueUrl = await createQueue('standard')
    await fixture.publish(...Array.from({ length: 23 }, (_, n) => message(`m${n}`)))
    await fixture.publish({ topic: 'orders', type: 'bytes', payload: new Uint8Array([0, 255]) })
    await drain(relayOn(fixture, createSqsPublisher({ client: sqs.client, queueUrl })))
    expect(new Set(Object.values(await fixture.states()))).toEqual(new Set(['S']))
    await fixture.publish(message('nowhere'))
    const relay = relayOn(
      fixture,
      createSqsPublisher({ client: sqs.client, queueUrl: `${queueUrl}-missing` }),
    )
    expect((await work(relay)).unavailable).toBeInstanceOf(Error)
    expect((await fixture.states()).nowhere).toBe('P')
  })
})

describe.skipIf(!hasRabbit())('RabbitMQ (rabbitmq-server needed)', () => {
  let rabbit: Awaited<ReturnType<typeof startRabbit>>
  beforeAll(async () => {
    rabbit = await startRabbit()
  })
  afterAll(() => rabbit.close())

  test('confirmed messages survive a kill -9 of the broker, and the publisher connects again', async () => {
    const connection = await amqp.connect(rabbit.url)
    connection.on('error', () => {})
    const channel = await connection.createChannel()
    channel.on('error', () => {})
    await channel.assertQueue('orders', { durable: true })
    const publisher = createRabbitPublisher({ connect: () => amqp.connect(rabbit.url) })
    onTestFinished(() => publisher.close())
    const [id] = await fixture.publish(message('m1', 'k'), message('unroutable', 'u', 'no-such-queue'))
    const relay = relayOn(fixture, publisher, { lanesMax: 32, batch: 320, ...LATE })
    expect(await work(relay)).toMatchObject({ sent: 1, retried: 1 })
    expect((await fixture.pool.query("SELECT error FROM idem_outbox WHERE state = 'R'")).rows).toEqual([
      { error: 'no queue takes no-such-queue of exchange (default)' },
    ])
    await rabbit.kill()
    await fixture.publish(message('m2', 'k'))
    expect((await work(relay)).unavailable).toBeInstanceOf(Error)
    await rabbit.start()
    // The queue is there a while after its broker.
    while ((await work(relay)).sent === 0);
    const reader = await amqp.connect(rabbit.url)
    onTestFinished(() => reader.close())
    const got = await (await reader.createChannel()).get('orders', { noAck: true })
    expect(got).toMatchObject({ properties: { messageId: id, type: 'm1', headers: { 'message-key': 'k' } } })
  })

  test('an exchange that is missing is no message’s fault', async () => {
    const publisher = createRabbitPublisher({ connect: () => amqp.connect(rabbit.url), exchange: 'missing' })
    onTestFinished(() => publisher.close())
    await fixture.publish(message('m', 'k'))
    const relay = relayOn(fixture, publisher)
    expect((await work(relay)).unavailable).toMatchObject({ code: 404 })
    expect((await work(relay)).unavailable).toMatchObject({ code: 404 })
    expect(await fixture.states()).toEqual({ m: 'P' })
  })
})

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageCommand,
  SetQueueAttributesCommand,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { manualClock, systemClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import { endOf } from '@/lib/messages/verbs/settle-messages'
import type { MessageSource } from '@/lib/sources/contracts'
import { type SqsConfig, sqsConfigSchema } from '@/lib/sources/dead-letters/sqs/config'
import { openSqsDeadLetters } from '@/lib/sources/dead-letters/sqs/open'
import { detectSource, previewSource, sourceGrants } from '@/lib/sources/preview'
import { createSqsPublisher } from '@/sdk/publishers/sqs'
import { startSqs } from '../../support/sqs-server'

const admin = { kind: 'user', userId: 'u', name: 'a', role: 'admin', via: 'session' } as const
let sqs: Awaited<ReturnType<typeof startSqs>>
let queues = 0
beforeAll(async () => {
  sqs = await startSqs()
})
afterAll(() => sqs.close())

const secret = () => ({
  region: 'us-east-1',
  endpoint: sqs.endpoint,
  accessKeyId: 'test',
  secretAccessKey: 'test',
})

async function createQueue(name: string, attributes: Record<string, string> = {}) {
  const Attributes = { ...attributes, ...(name.endsWith('.fifo') ? { FifoQueue: 'true' } : {}) }
  const { QueueUrl = '' } = await sqs.client.send(new CreateQueueCommand({ QueueName: name, Attributes }))
  return QueueUrl
}

async function arnOf(QueueUrl: string): Promise<string> {
  const command = new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] })
  return (await sqs.client.send(command)).Attributes?.QueueArn ?? ''
}

/** A queue and its dead-letter queue, and the source that reads the latter. */
async function createWorld(over: Partial<SqsConfig> = {}, suffix = '') {
  queues += 1
  const queueUrl = await createQueue(`orders-${queues}-dlq${suffix}`)
  const redrive = JSON.stringify({ deadLetterTargetArn: await arnOf(queueUrl), maxReceiveCount: 1 })
  const sourceQueueUrl = await createQueue(`orders-${queues}${suffix}`, { RedrivePolicy: redrive })
  const config = sqsConfigSchema.parse({ queueUrl, sourceQueueUrl, readEveryMs: 1_000, ...over })
  const open = (): MessageSource => {
    const source = openSqsDeadLetters(config, secret())
    onTestFinished(() => source.close())
    return source
  }
  return { config, open, source: open() }
}

const publish = (queueUrl: string, ...ids: string[]) =>
  createSqsPublisher({ client: sqs.client, queueUrl }).publish(
    ids.map((id) => ({
      ...{ id, topic: 'payments', key: 'k', type: 'payment.made', attempt: 1 },
      headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
      payload: Buffer.from(`{"id":"${id}"}`),
      createdAt: systemClock.now(),
    })),
    AbortSignal.timeout(5_000),
  )

const receive = async (QueueUrl: string, VisibilityTimeout = 0) => {
  const command = new ReceiveMessageCommand({
    ...{ QueueUrl, VisibilityTimeout, MaxNumberOfMessages: 10 },
    MessageAttributeNames: ['All'],
    MessageSystemAttributeNames: ['All'],
  })
  return (await sqs.client.send(command)).Messages ?? []
}

const firstOf = async (source: MessageSource) => {
  const [row] = (await source.readDead(null, 10)).items
  if (row === undefined) throw new Error('it has none')
  return row
}

test('lists what is dead with ids, types and traces, and gives all of it back', async () => {
  const { config, source } = await createWorld()
  await publish(config.queueUrl, 'm1', 'm2', 'm3')
  expect((await source.sample()).topics).toMatchObject([{ topic: 'orders-1', dead: 3, unsent: null }])
  const page = await source.readDead(null, 2)
  const rest = await source.readDead(page.cursor, 2)
  expect(rest.cursor).toBeNull()
  expect([...page.items, ...rest.items].map(({ id }) => id).sort()).toEqual(['m1', 'm2', 'm3'])
  expect(page.items[0]).toMatchObject({
    topic: 'payments',
    type: 'payment.made',
    state: 'dead',
    traceId: '0af7651916cd43dd8448eb211c80319c',
  })
  expect(await receive(config.queueUrl)).toHaveLength(3)
  const { message } = await source.readMessage('m2')
  expect(Buffer.from(message?.payload ?? []).toString()).toBe('{"id":"m2"}')
  expect((await source.readMessage('nobody')).message).toBeNull()
})

test('says for how long its source queue delivers a message again', async () => {
  const { source, config } = await createWorld()
  expect((await source.sample()).redeliveryHorizonMs).toBe(4 * 86_400_000)
  await sqs.client.send(
    new SetQueueAttributesCommand({
      QueueUrl: config.sourceQueueUrl,
      Attributes: { MessageRetentionPeriod: '3600' },
    }),
  )
  expect((await source.sample()).redeliveryHorizonMs).toBe(3_600_000)
})

test('is not received again while its count is the same', async () => {
  const { config } = await createWorld()
  const clock = manualClock('2026-12-01T00:00:00Z')
  const source = openSqsDeadLetters({ ...config, readEveryMs: 300_000 }, secret(), { clock })
  onTestFinished(() => source.close())
  await publish(config.queueUrl, 'm1')
  const receives = async () =>
    Number((await receive(config.queueUrl))[0]?.Attributes?.ApproximateReceiveCount)
  await source.readDead(null, 10)
  clock.advance(60_000)
  await source.readDead(null, 10)
  expect(await receives()).toBe(2)
  clock.advance(300_000)
  await source.readDead(null, 10)
  expect(await receives()).toBe(4)
})

test('a redriven message is in its queue again under its id, and dead no more; the same of a stranger’s message', async () => {
  const { config, source } = await createWorld()
  await publish(config.queueUrl, 'm1')
  const row = await firstOf(source)
  expect(await source.redrive(row.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: 'm1' })
  const [back] = await receive(config.sourceQueueUrl)
  expect(back).toMatchObject({
    Body: '{"id":"m1"}',
    MessageAttributes: { 'message-id': { StringValue: 'm1' } },
  })
  expect((await source.readDead(null, 10)).items).toEqual([])
  expect(await source.redrive(row.seen, { actionId: 'act_2' })).toMatchObject({ kind: 'refused' })

  const stranger = await createWorld({ topic: 'mails' })
  const { MessageId } = await sqs.client.send(
    new SendMessageCommand({ QueueUrl: stranger.config.queueUrl, MessageBody: 'hello' }),
  )
  const other = await firstOf(stranger.source)
  expect(other).toMatchObject({ id: MessageId, topic: 'mails' })
  await stranger.source.redrive(other.seen, { actionId: 'act_3' })
  const [again] = await receive(stranger.config.sourceQueueUrl)
  expect(again?.MessageAttributes?.['message-id']?.StringValue).toBe(MessageId)
})

test('of two redrives and a discard at once, from three processes, one is done', async () => {
  const { config, source, open } = await createWorld()
  await publish(config.queueUrl, 'm1')
  const { seen } = await firstOf(source)
  const outcomes = await Promise.all([
    source.redrive(seen, { actionId: 'act_a' }),
    open().redrive(seen, { actionId: 'act_b' }),
    open().discard(seen, { actionId: 'act_c' }),
  ])
  expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
  expect(await receive(config.queueUrl)).toHaveLength(0)
})

/** SQS behind something that lets no message be deleted. */
async function withoutDeleting(): Promise<string> {
  const server = createServer(async (request, response) => {
    const target = String(request.headers['x-amz-target'])
    if (target.endsWith('.DeleteMessage')) {
      response.writeHead(403, { 'content-type': 'application/x-amz-json-1.0' })
      return response.end('{"__type":"AccessDeniedException","message":"not allowed"}')
    }
    const answer = await fetch(new URL(request.url ?? '/', sqs.endpoint), {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target },
      body: await buffer(request),
    })
    response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' })
    response.end(Buffer.from(await answer.arrayBuffer()))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('one that was sent again and cannot be taken away is not told as unchanged', async () => {
  const { config, source } = await createWorld()
  await publish(config.queueUrl, 'm1')
  const { seen } = await firstOf(source)
  const limited = openSqsDeadLetters(config, { ...secret(), endpoint: await withoutDeleting() })
  onTestFinished(() => limited.close())
  await expect(limited.redrive(seen, { actionId: 'act_1' })).rejects.toMatchObject({
    message: expect.stringMatching(/^It was sent again, and could not be taken out of the dead ones: /),
    refused: false,
  })
  expect(await receive(config.sourceQueueUrl)).toHaveLength(1)
  const { message } = await source.readMessage('m1')
  expect(message).toMatchObject({ state: 'dead' })
  expect(endOf({ id: 'act_1', kind: 'redrive' }, message, source.capabilities)).toMatchObject({
    state: 'failed',
    result: { settled: 'not_known' },
  })
  expect(endOf({ id: 'act_1', kind: 'discard' }, message, source.capabilities)).toMatchObject({
    result: { settled: 'not_applied' },
  })
})

test('an edited message is a new one that names the old; a discarded one is gone', async () => {
  const { config, source } = await createWorld()
  await publish(config.queueUrl, 'm1')
  const outcome = await source.redrive((await firstOf(source)).seen, {
    actionId: 'act_1',
    payload: Buffer.from('{"id":"changed"}'),
  })
  if (outcome.kind !== 'done') throw new Error('refused')
  expect((await receive(config.sourceQueueUrl))[0]).toMatchObject({
    Body: '{"id":"changed"}',
    MessageAttributes: {
      'message-id': { StringValue: outcome.id },
      'idemscope-replaces': { StringValue: 'm1' },
    },
  })
  await publish(config.queueUrl, 'm2')
  const second = (await source.readMessage('m2')).message
  if (second === null) throw new Error('it is not there')
  expect(await source.discard(second.seen, { actionId: 'act_2' })).toMatchObject({ kind: 'done' })
  expect(await receive(config.queueUrl)).toHaveLength(0)
})

test('FIFO: it goes back to its group, though SQS has seen its id within five minutes', async () => {
  const { config, source } = await createWorld({}, '.fifo')
  await publish(config.sourceQueueUrl, 'm1')
  await receive(config.sourceQueueUrl)
  await receive(config.sourceQueueUrl)
  const row = await firstOf(source)
  expect(await source.redrive(row.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: 'm1' })
  const [back] = await receive(config.sourceQueueUrl)
  expect(back).toMatchObject({
    MessageAttributes: { 'message-id': { StringValue: 'm1' } },
    Attributes: { MessageGroupId: 'payments/k' },
  })
})

test('a send that fails leaves the message where it is', async () => {
  const { config } = await createWorld()
  await publish(config.queueUrl, 'm1')
  const source = openSqsDeadLetters({ ...config, sourceQueueUrl: `${config.sourceQueueUrl}-none` }, secret())
  onTestFinished(() => source.close())
  await expect(source.redrive((await firstOf(source)).seen, { actionId: 'act_1' })).rejects.toThrow(
    /There is no such queue/,
  )
  expect(await receive(config.queueUrl)).toHaveLength(1)
})

test('a queue that would move its messages on is not read', async () => {
  const { config, source } = await createWorld()
  const next = await createQueue('next-dlq')
  const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: await arnOf(next), maxReceiveCount: 2 })
  await sqs.client.send(
    new SetQueueAttributesCommand({ QueueUrl: config.queueUrl, Attributes: { RedrivePolicy } }),
  )
  await expect(source.sample()).rejects.toThrow(/dead letters of its own, from 2 receives on/)
})

test('is found by the redrive policy of its source, previewed read-only, and says what it needs', async () => {
  const { config } = await createWorld()
  await publish(config.queueUrl, 'm1')
  const found = await detectSource(
    { actor: admin },
    { engine: 'sqs', secret: { ...secret(), queueUrl: config.queueUrl } },
  )
  expect(found).toMatchObject([
    {
      adapter: 'sqs-dead-letters',
      config: { queueUrl: config.queueUrl, sourceQueueUrl: config.sourceQueueUrl },
    },
  ])
  const draft = { adapter: 'sqs-dead-letters' as const, config: found[0]?.config, secret: secret() }
  const preview = await previewSource({ actor: admin, log: silentLog }, draft)
  expect(preview.messages).toMatchObject({ dead: [{ id: 'm1' }], topics: [{ dead: 1 }] })
  expect(sourceGrants('sqs-dead-letters', config, 'idemscope')).toContain('sqs:ReceiveMessage')
  const looked = openSqsDeadLetters(config, secret(), { readOnly: true })
  onTestFinished(() => looked.close())
  await expect(looked.discard((await firstOf(looked)).seen, { actionId: 'a' })).rejects.toThrow(/looked at/)
})

test('an address that nobody answers and one that is none say so', async () => {
  const { config } = await createWorld()
  const source = openSqsDeadLetters(config, { ...secret(), endpoint: 'http://127.0.0.1:1' })
  onTestFinished(() => source.close())
  await expect(source.sample()).rejects.toThrow(/It cannot be reached/)
  await expect(
    detectSource({ actor: admin }, { engine: 'sqs', secret: { region: 'Frankfurt' } }),
  ).rejects.toThrow(/the name of a region/)
})

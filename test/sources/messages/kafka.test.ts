import { Kafka, logLevel, type Producer } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { silentLog } from '@/lib/log'
import type { MessageSource } from '@/lib/sources/contracts'
import { advance, UNTOUCHED } from '@/lib/sources/dead-letters/kafka/actions'
import { kafkaConfigSchema, kafkaSecretSchema } from '@/lib/sources/dead-letters/kafka/config'
import { openKafkaDeadLetters } from '@/lib/sources/dead-letters/kafka/open'
import { detectSource, previewSource, sourceGrants } from '@/lib/sources/preview'
import { hasKafka, startKafka } from '../../support/kafka-brokers'

const admin = { kind: 'user', userId: 'u', name: 'a', role: 'admin', via: 'session' } as const

test('of claims after the same state the first counts, and only its own end', () => {
  const claim = (actionId: string, after: string) =>
    ({ act: 'claim', verb: 'redrive', actionId, after }) as const
  const first = advance(UNTOUCHED, claim('a', 'none'), '5')
  expect(advance(first, claim('b', 'none'), '6')).toEqual(first)
  expect(advance(first, { act: 'done', claim: '6', id: 'm' }, '7')).toEqual(first)
  // A was killed: who looks again may take it over, and A’s late end counts for nothing.
  const taken = advance(first, claim('b', '5'), '8')
  expect(taken).toMatchObject({ version: '8', state: 'dead', claim: { actionId: 'b' } })
  expect(advance(taken, { act: 'done', claim: '5', id: 'm' }, '9')).toEqual(taken)
  const done = advance(taken, { act: 'done', claim: '8', id: 'm' }, '10')
  expect(done).toMatchObject({ state: 'sent', actionId: 'b', id: 'm' })
  expect(advance(done, claim('c', '10'), '11')).toEqual(done)
})

describe.skipIf(!hasKafka())('Kafka (librdkafka1 needed)', () => {
  let kafka: Awaited<ReturnType<typeof startKafka>>
  let producer: Producer
  let client: Kafka
  let topics = 0
  beforeAll(async () => {
    kafka = await startKafka()
    client = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING })
    producer = client.producer()
    await producer.connect()
  })
  afterAll(async () => {
    await producer.disconnect()
    await kafka.close()
  })
  const secret = () => kafkaSecretSchema.parse({ brokers: kafka.brokers.join(','), tls: 'no' })

  async function createWorld(over: object = {}) {
    topics += 1
    const [sourceTopic, deadTopic, actionsTopic] = [
      `orders-${topics}`,
      `orders-${topics}-dlt`,
      `acts-${topics}`,
    ]
    await kafka.createTopic(sourceTopic, 1)
    await kafka.createTopic(deadTopic, 2)
    await kafka.createTopic(actionsTopic, 1)
    const config = kafkaConfigSchema.parse({
      sourceTopic,
      deadTopic,
      actionsTopic,
      topic: 'payments',
      ...over,
    })
    const open = (): MessageSource => {
      const source = openKafkaDeadLetters(config, secret())
      onTestFinished(() => source.close())
      return source
    }
    return { config, open, source: open() }
  }

  type Dead = { id: string; partition?: number; headers?: Record<string, string | Buffer> }
  const die = (topic: string, ...messages: Dead[]) =>
    producer.send({
      topic,
      messages: messages.map(({ id, partition = 0, headers = {} }) => ({
        ...{ key: 'k', value: `{"id":"${id}"}`, partition },
        headers: {
          ...(id === 'without' ? {} : { 'message-id': id }),
          'message-type': 'payment.made',
          'kafka_dlt-exception-fqcn': 'java.io.IOException',
          'kafka_dlt-exception-message': 'gone',
          'kafka_dlt-original-consumer-group': 'inventory',
          ...headers,
        },
      })),
    })

  /** All that is in a topic of one partition, in order. */
  async function logOf(topic: string, count: number) {
    const reader = client.consumer({ groupId: `look-${topic}-${count}` })
    await reader.connect()
    await reader.subscribe({ topic, fromBeginning: true })
    const log: { value: string; headers: Record<string, string> }[] = []
    await new Promise<void>((read) => {
      void reader.run({
        eachMessage: async ({ message }) => {
          const headers = Object.entries(message.headers ?? {}).map(([name, value]) => [name, String(value)])
          log.push({ value: String(message.value), headers: Object.fromEntries(headers) })
          if (log.length >= count) read()
        },
      })
    })
    await reader.disconnect()
    return log
  }
  const endOf = async (topic: string) => {
    const looker = client.admin()
    await looker.connect()
    const offsets = await looker.fetchTopicOffsets(topic)
    await looker.disconnect()
    return offsets.reduce((sum, { high }) => sum + Number(high), 0)
  }
  const firstOf = async (source: MessageSource) => {
    const [row] = (await source.readDead(null, 10)).items
    if (row === undefined) throw new Error('it has none')
    return row
  }

  test('lists what is dead over its partitions with why, and again what came since', async () => {
    const { config, source } = await createWorld()
    const offset = Buffer.alloc(8)
    offset.writeBigInt64BE(41n)
    const partition = Buffer.alloc(4)
    partition.writeInt32BE(3)
    await die(config.deadTopic, { id: 'm1' }, { id: 'm2', partition: 1 })
    const { items } = await source.readDead(null, 10)
    expect(items.map(({ id }) => id).sort()).toEqual(['m1', 'm2'])
    expect(items[0]).toMatchObject({
      ...{ topic: 'payments', group: 'inventory', type: 'payment.made', key: 'k', state: 'dead' },
      error: 'java.io.IOException: gone',
    })
    expect((await source.sample()).topics).toMatchObject([{ topic: 'payments', dead: 2 }])
    const original = {
      ...{ 'kafka_dlt-original-topic': 'payments', 'kafka_dlt-original-partition': partition },
      'kafka_dlt-original-offset': offset,
    }
    await die(config.deadTopic, { id: 'without', headers: original })
    const { message } = await source.readMessage('0/1')
    // As a consumer of the SDK knows a message without an id.
    expect(message).toMatchObject({ id: 'payments/3/41', state: 'dead' })
    expect(Buffer.from(message?.payload ?? []).toString()).toBe('{"id":"without"}')
    expect((await source.readMessage('m2')).message).toMatchObject({ seen: { place: '1/0' } })
    for (const nothing of ['7/0', '0/99', 'nobody'])
      expect((await source.readMessage(nothing)).message).toBeNull()
  })

  test('a redriven message is in its topic under its id and key, and dead no more, for every process', async () => {
    const { config, source, open } = await createWorld()
    await die(config.deadTopic, { id: 'm1' }, { id: 'm2' })
    const { seen } = await firstOf(source)
    expect(await source.redrive(seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: 'm1' })
    expect(await logOf(config.sourceTopic, 1)).toEqual([
      {
        value: '{"id":"m1"}',
        headers: { 'message-id': 'm1', 'message-type': 'payment.made', 'idemscope-action': 'act_1' },
      },
    ])
    const other = open()
    expect((await other.readDead(null, 10)).items.map(({ id }) => id)).toEqual(['m2'])
    expect((await other.readMessage(seen.place)).message).toMatchObject({ state: 'sent', actionId: 'act_1' })
    expect(await other.redrive(seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: 'm1' })
    expect(await other.redrive(seen, { actionId: 'act_2' })).toEqual({ kind: 'refused', reason: 'changed' })
    expect(await endOf(config.sourceTopic)).toBe(1)
  })

  test('of two redrives and a discard at once, from three processes, one is done', async () => {
    const { config, source, open } = await createWorld()
    await die(config.deadTopic, { id: 'm1' })
    const { seen } = await firstOf(source)
    const outcomes = await Promise.all([
      source.redrive(seen, { actionId: 'act_a' }),
      open().redrive(seen, { actionId: 'act_b' }),
      open().discard(seen, { actionId: 'act_c' }),
    ])
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    expect(await endOf(config.sourceTopic)).toBeLessThanOrEqual(1)
    expect((await source.readDead(null, 10)).items).toEqual([])
  })

  test('one that was killed after its claim leaves it dead: the same act goes on, and another may take over', async () => {
    const { config, source } = await createWorld()
    await die(config.deadTopic, { id: 'm1' }, { id: 'm2' })
    const [first, second] = (await source.readDead(null, 10)).items
    if (first === undefined || second === undefined) throw new Error('there are not two')
    const claims = [first, second].map(({ seen }) => ({
      key: `${config.deadTopic}/${seen.place}`,
      value: JSON.stringify({ act: 'claim', verb: 'redrive', actionId: 'act_killed', after: 'none' }),
      partition: 0,
    }))
    await producer.send({ topic: config.actionsTopic ?? '', messages: claims })
    expect(await source.redrive(first.seen, { actionId: 'act_killed' })).toEqual({ kind: 'done', id: 'm1' })
    expect(await source.redrive(second.seen, { actionId: 'act_2' })).toMatchObject({ kind: 'refused' })
    const again = await firstOf(source)
    expect(again.id).toBe('m2')
    expect(await source.discard(again.seen, { actionId: 'act_3' })).toEqual({ kind: 'done', id: 'm2' })
    expect(await endOf(config.sourceTopic)).toBe(1)
  })

  test('an edited message is a new one that names the old', async () => {
    const { config, source } = await createWorld()
    await die(config.deadTopic, { id: 'm1' })
    const outcome = await source.redrive((await firstOf(source)).seen, {
      actionId: 'act_1',
      payload: Buffer.from('changed'),
    })
    if (outcome.kind !== 'done') throw new Error('refused')
    expect(await logOf(config.sourceTopic, 1)).toMatchObject([
      { value: 'changed', headers: { 'message-id': outcome.id, 'idemscope-replaces': 'm1' } },
    ])
  })

  test('without a topic of actions nothing is offered, and of a long log the newest are read', async () => {
    const { config, source } = await createWorld({ actionsTopic: undefined, readMax: 2 })
    await die(config.deadTopic, { id: 'm1' }, { id: 'm2' }, { id: 'm3' })
    const { items } = await source.readDead(null, 10)
    expect(items.map(({ id }) => id)).toEqual(['m2', 'm3'])
    expect(await source.sample()).toMatchObject({ atLeast: true })
    expect(source.capabilities).toMatchObject({
      canRedrive: false,
      reasons: { redrive: expect.stringContaining('cannot lose one message') },
    })
    const [row] = items
    if (row === undefined) throw new Error('it has none')
    await expect(source.redrive(row.seen, { actionId: 'a' })).rejects.toThrow(/actionsTopic/)
  })

  test('is found by its name, previewed read-only, and says what it needs', async () => {
    const { config } = await createWorld()
    await die(config.deadTopic, { id: 'm1' })
    const given = { brokers: kafka.brokers.join(','), tls: 'no' }
    const found = await detectSource(
      { actor: admin },
      { engine: 'kafka', secret: { ...given, topic: config.deadTopic } },
    )
    expect(found).toMatchObject([
      {
        adapter: 'kafka-dead-letters',
        config: { deadTopic: config.deadTopic, sourceTopic: config.sourceTopic },
        rowsEstimate: 1,
      },
    ])
    const draft = { adapter: 'kafka-dead-letters' as const, config: found[0]?.config, secret: given }
    const preview = await previewSource({ actor: admin, log: silentLog }, draft)
    expect(preview.messages).toMatchObject({ dead: [{ id: 'm1' }] })
    const grants = sourceGrants('kafka-dead-letters', config, 'idemscope')
    expect(grants).toContain(`--operation Write --operation Describe --topic ${config.sourceTopic}`)
    const looked = openKafkaDeadLetters(config, secret(), { readOnly: true })
    onTestFinished(() => looked.close())
    await expect(looked.discard((await firstOf(looked)).seen, { actionId: 'a' })).rejects.toThrow(/looked at/)
  })

  test('brokers that are down, a broker that is none and a topic that is not there say so', async () => {
    const { source } = await createWorld()
    await kafka.down()
    await expect(source.sample()).rejects.toThrow(/It cannot be reached/)
    await kafka.up()
    await expect.poll(async () => (await source.sample().catch(() => null))?.topics[0]?.dead).toBe(0)
    expect(() => kafkaSecretSchema.parse({ brokers: 'kafka' })).toThrow(/host:port/)
    expect(() => kafkaSecretSchema.parse({ brokers: 'k:1', username: 'u' })).toThrow(/two parts/)
  })
})

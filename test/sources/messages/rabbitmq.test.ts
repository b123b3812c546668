import amqp from 'amqplib'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { manualClock } from '@/lib/core/clock'
import { silentLog } from '@/lib/log'
import type { MessageSource } from '@/lib/sources/contracts'
import { type RabbitConfig, rabbitConfigSchema } from '@/lib/sources/dead-letters/rabbitmq/config'
import { openRabbitDeadLetters } from '@/lib/sources/dead-letters/rabbitmq/open'
import { detectSource, previewSource, sourceGrants } from '@/lib/sources/preview'
import { hasRabbit, startRabbit } from '../../support/rabbit-server'

const admin = { kind: 'user', userId: 'u', name: 'a', role: 'admin', via: 'session' } as const

describe.skipIf(!hasRabbit())('RabbitMQ (rabbitmq-server needed)', () => {
  let rabbit: Awaited<ReturnType<typeof startRabbit>>
  let connection: amqp.ChannelModel
  let channel: amqp.ConfirmChannel
  let queues = 0
  beforeAll(async () => {
    rabbit = await startRabbit()
    connection = await amqp.connect(rabbit.url)
    connection.on('error', () => {})
    channel = await connection.createConfirmChannel()
  })
  afterAll(async () => {
    await connection.close().catch(() => undefined)
    await rabbit.close()
  })

  const inQueue = async (name: string) => (await channel.checkQueue(name)).messageCount

  async function createWorld(over: Partial<RabbitConfig> = {}, type = 'classic') {
    queues += 1
    const [queue, sourceQueue] = [`dead-${queues}`, `orders-${queues}`]
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': type } })
    await channel.assertQueue(sourceQueue, {
      durable: true,
      arguments: { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': queue },
    })
    const config = rabbitConfigSchema.parse({ queue, sourceQueue, readEveryMs: 1_000, ...over })
    const open = (url = rabbit.url): MessageSource => {
      const source = openRabbitDeadLetters(config, { url })
      onTestFinished(() => source.close())
      return source
    }
    return { config, open, source: open() }
  }

  /** Published, and rejected by its consumer. */
  async function die({ sourceQueue, queue }: RabbitConfig, ...messages: [string, object?][]) {
    const before = await inQueue(queue)
    for (const [id, headers = {}] of messages)
      channel.sendToQueue(sourceQueue, Buffer.from(`{"id":"${id}"}`), {
        ...{ messageId: id, type: 'payment.made', persistent: true, timestamp: 1_764_547_200 },
        headers: { 'message-topic': 'payments', ...headers },
      })
    await channel.waitForConfirms()
    for (const _ of messages) {
      const got = await channel.get(sourceQueue)
      if (got) channel.nack(got, false, false)
    }
    await expect.poll(() => inQueue(queue)).toBe(before + messages.length)
  }
  const firstOf = async (source: MessageSource) => {
    const [row] = (await source.readDead(null, 10)).items
    if (row === undefined) throw new Error('it has none')
    return row
  }

  test('lists what is dead in order with why, and leaves it there', async () => {
    const { config, source } = await createWorld({ group: 'inventory' })
    await die(
      config,
      ['m1'],
      [
        'm2',
        {
          'MT-Fault-ExceptionType': 'System.TimeoutException',
          'MT-Fault-Message': 'no answer',
          'MT-Fault-StackTrace': '  at Acme.Charge.Run() in /src/Charge.cs:line 4',
        },
      ],
    )
    expect((await source.sample()).topics).toMatchObject([{ topic: config.sourceQueue, dead: 2 }])
    const { items, cursor } = await source.readDead(null, 10)
    expect(cursor).toBeNull()
    expect(items).toMatchObject([
      {
        ...{ id: 'm1', topic: 'payments', group: 'inventory', type: 'payment.made', attempts: 1 },
        error: `rejected by its consumer in ${config.sourceQueue}`,
        publishedAt: new Date('2025-12-01T00:00:00Z'),
        settledAt: expect.any(Date),
      },
      { id: 'm2', error: expect.stringMatching(/^System.TimeoutException: no answer\n {2}at Acme.Charge/) },
    ])
    expect(await inQueue(config.queue)).toBe(2)
    const { message } = await source.readMessage('m2')
    expect(Buffer.from(message?.payload ?? []).toString()).toBe('{"id":"m2"}')
    expect((await source.readMessage('nobody')).message).toBeNull()
    expect((await source.readDead(null, 10)).items.map(({ id }) => id)).toEqual(['m1', 'm2'])
  })

  test('a redriven message is in its queue again under its id, without its deaths, and dead no more', async () => {
    const { config, source } = await createWorld()
    await die(config, ['m1'], ['m2'])
    const row = await firstOf(source)
    expect(await source.redrive(row.seen, { actionId: 'act_1' })).toEqual({ kind: 'done', id: 'm1' })
    const got = await channel.get(config.sourceQueue, { noAck: true })
    expect(got).toMatchObject({ properties: { messageId: 'm1', headers: { 'idemscope-action': 'act_1' } } })
    expect(got ? got.properties.headers : null).not.toHaveProperty('x-death')
    expect(await inQueue(config.queue)).toBe(1)
    expect(await source.redrive(row.seen, { actionId: 'act_2' })).toEqual({
      kind: 'refused',
      reason: 'changed',
    })
    expect((await source.readDead(null, 10)).items.map(({ id }) => id)).toEqual(['m2'])
  })

  test('of two redrives and a discard at once, from three processes, one is done', async () => {
    const { config, source, open } = await createWorld()
    await die(config, ['m1'])
    const { seen } = await firstOf(source)
    const outcomes = await Promise.all([
      source.redrive(seen, { actionId: 'act_a' }),
      open().redrive(seen, { actionId: 'act_b' }),
      open().discard(seen, { actionId: 'act_c' }),
    ])
    expect(outcomes.filter(({ kind }) => kind === 'done')).toHaveLength(1)
    expect(await inQueue(config.queue)).toBe(0)
  })

  test('of messages that are the same in everything each is one', async () => {
    const { config, source } = await createWorld()
    channel.sendToQueue(config.queue, Buffer.from('same'), { messageId: 'm1' })
    channel.sendToQueue(config.queue, Buffer.from('same'), { messageId: 'm1' })
    await channel.waitForConfirms()
    const { items } = await source.readDead(null, 10)
    expect(new Set(items.map(({ seen }) => seen.place)).size).toBe(2)
    expect(await source.discard(items[1]?.seen ?? firstSeen, { actionId: 'act_1' })).toMatchObject({
      kind: 'done',
    })
    expect(await inQueue(config.queue)).toBe(1)
  })
  const firstSeen = { place: '', version: '' }

  test('an edited message is a new one that names the old', async () => {
    const { config, source } = await createWorld()
    await die(config, ['m1'])
    const outcome = await source.redrive((await firstOf(source)).seen, {
      actionId: 'act_1',
      payload: Buffer.from('changed'),
    })
    if (outcome.kind !== 'done') throw new Error('refused')
    expect(await channel.get(config.sourceQueue, { noAck: true })).toMatchObject({
      content: Buffer.from('changed'),
      properties: { messageId: outcome.id, headers: { 'idemscope-replaces': 'm1' } },
    })
    expect(await inQueue(config.queue)).toBe(0)
  })

  test('where no queue takes it, it stays; a broker that goes leaves it there too', async () => {
    const { config } = await createWorld()
    await die(config, ['m1'])
    const source = openRabbitDeadLetters({ ...config, sourceQueue: 'nowhere' }, { url: rabbit.url })
    onTestFinished(() => source.close())
    const { seen } = await firstOf(source)
    await expect(source.redrive(seen, { actionId: 'act_1' })).rejects.toThrow(/There is no queue nowhere/)
    expect(await inQueue(config.queue)).toBe(1)
    expect((await firstOf(source)).id).toBe('m1')
  })

  test('a quorum queue counts each look: it is read only when it changes, and no more before its limit', async () => {
    const { config } = await createWorld({ deliveryLimit: 9, readEveryMs: 300_000 }, 'quorum')
    await die(config, ['m1'])
    const clock = manualClock('2026-12-01T00:00:00Z')
    const source = openRabbitDeadLetters(config, { url: rabbit.url }, { clock })
    onTestFinished(() => source.close())
    for (let look = 0; look < 3; look++) await source.readDead(null, 10)
    const delivered = async () => {
      const got = await channel.get(config.queue)
      if (!got) throw new Error('it is gone')
      channel.nack(got)
      return got.properties.headers?.['x-delivery-count']
    }
    expect(await delivered()).toBe(1)
    const looks = async () => {
      for (;;) {
        clock.advance(300_000)
        await source.readDead(null, 10)
      }
    }
    await expect(looks()).rejects.toThrow(/at 9 the queue drops them: they are read no more/)
    expect((await source.sample()).topics).toMatchObject([{ dead: 1 }])
    expect(await inQueue(config.queue)).toBe(1)
  })

  test('is found by where a message of it died, previewed, and enough for a user with its rights and no others', async () => {
    const { config, open } = await createWorld()
    await die(config, ['m1'])
    const look = (queue?: string) =>
      detectSource({ actor: admin }, { engine: 'rabbitmq', secret: { url: rabbit.url, queue } })
    const found = await look(config.queue)
    expect(found).toMatchObject([
      { adapter: 'rabbitmq-dead-letters', config: { queue: config.queue, sourceQueue: config.sourceQueue } },
    ])
    await expect(look()).rejects.toThrow(/name the queue of dead letters/)
    await expect(look('no-such-queue')).rejects.toThrow(/no queue 'no-such-queue'/)
    const preview = await previewSource(
      { actor: admin, log: silentLog },
      { adapter: 'rabbitmq-dead-letters', config: found[0]?.config, secret: { url: rabbit.url } },
    )
    expect(preview.messages).toMatchObject({ dead: [{ id: 'm1' }] })

    for (const line of sourceGrants('rabbitmq-dead-letters', config, 'console').split('\n')) {
      const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '')
      if (words[0] === 'rabbitmqctl') await rabbit.ctl(...words.slice(1))
    }
    const url = new URL(rabbit.url)
    url.username = 'console'
    url.password = 'choose%20one'
    const source = open(url.href)
    const row = await firstOf(source)
    expect(await source.redrive(row.seen, { actionId: 'act_1' })).toMatchObject({ kind: 'done' })
    const other = openRabbitDeadLetters({ ...config, queue: config.sourceQueue }, { url: url.href })
    onTestFinished(() => other.close())
    await expect(other.readDead(null, 1)).rejects.toThrow(/lacks a permission/)
    url.password = 'wrong'
    await expect(open(url.href).sample()).rejects.toThrow(/refuses the credentials/)
  })

  test('after the broker was killed it is reached again', async () => {
    const { config, source } = await createWorld()
    // Confirmed, and so on the disk; what dies is moved without that.
    channel.sendToQueue(config.queue, Buffer.from('{}'), { messageId: 'm1', persistent: true })
    await channel.waitForConfirms()
    await firstOf(source)
    await rabbit.kill()
    await expect(source.sample()).rejects.toThrow(/It cannot be reached/)
    await rabbit.start()
    await expect.poll(async () => (await source.sample().catch(() => null))?.topics[0]?.dead).toBe(1)
    connection = await amqp.connect(rabbit.url)
    connection.on('error', () => {})
    channel = await connection.createConfirmChannel()
  })
})

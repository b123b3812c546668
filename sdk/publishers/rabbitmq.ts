import type { OutboxMessage } from '../outbox/message'
import type { Publisher, PublishResult } from '../outbox/publisher'

/** Of amqplib: what `connect()` gives. */
export type RabbitConnection = {
  createConfirmChannel(): Promise<RabbitChannel>
  on(event: 'error' | 'close', listener: (error?: unknown) => void): unknown
  close(): Promise<void>
}

export type RabbitChannel = {
  publish(
    exchange: string,
    routingKey: string,
    content: Buffer,
    options: RabbitPublishOptions,
    confirmed: (error: unknown) => void,
  ): boolean
  on(event: 'return', listener: (message: { properties: { messageId?: unknown } }) => void): unknown
  on(event: 'error' | 'close', listener: (error?: unknown) => void): unknown
}

type RabbitPublishOptions = {
  mandatory: boolean
  persistent: boolean
  messageId: string
  type: string
  contentType?: string
  timestamp: number
  headers: Record<string, string>
}

export type RabbitPublisherOptions = {
  /** Opens a connection, e.g. `() => amqp.connect(url)`; called again after one broke. */
  connect: () => Promise<RabbitConnection>
  /** Default: the default exchange, whose routing keys are names of queues. */
  exchange?: string
  /** Default: the topic. */
  routingKey?: (message: OutboxMessage) => string
  /** Messages whose confirms are awaited at once. Default 200. */
  batchMax?: number
}

/**
 * RabbitMQ with confirms. A message that no queue takes is confirmed too, and returned just before: it counts as refused. Make the
 * queues quorum queues, or a confirmed message may be lost with its node.
 */
export function createRabbitPublisher(
  options: RabbitPublisherOptions,
): Publisher & { close(): Promise<void> } {
  const { connect, exchange = '', routingKey = ({ topic }) => topic, batchMax = 200 } = options
  let opened: Promise<OpenChannel> | null = null

  function open(): Promise<OpenChannel> {
    const opening: Promise<OpenChannel> = openChannel(connect, () => {
      if (opened === opening) opened = null
    })
    opening.catch(() => {
      if (opened === opening) opened = null
    })
    opened = opening
    return opening
  }

  return {
    system: 'rabbitmq',
    // Of a batch any message may be refused alone.
    keepsOrder: false,
    batchMax,
    async publish(messages) {
      const { channel, returned, broken } = await (opened ?? open())
      const send = (message: OutboxMessage) =>
        new Promise<PublishResult>((resolve) => {
          const key = routingKey(message)
          channel.publish(exchange, key, Buffer.from(message.payload), toOptions(message), (error) => {
            if (returned.delete(message.id))
              resolve({
                kind: 'refused',
                error: `no queue takes ${key} of exchange ${exchange || '(default)'}`,
              })
            else resolve(error ? { kind: 'refused', error: String(error) } : { kind: 'confirmed' })
          })
        })
      return Promise.race([Promise.all(messages.map(send)), broken])
    },
    async close() {
      const open = await opened?.catch(() => null)
      await open?.connection.close()
    },
  }
}

type OpenChannel = {
  connection: RabbitConnection
  channel: RabbitChannel
  /** Ids of what no queue took. */
  returned: Set<string>
  /** Rejects when the channel can publish no more. */
  broken: Promise<never>
}

async function openChannel(
  connect: () => Promise<RabbitConnection>,
  ended: () => void,
): Promise<OpenChannel> {
  const connection = await connect()
  let end = (_: Error) => {}
  const broken = new Promise<never>((_, reject) => {
    end = (error) => {
      ended()
      reject(error)
    }
  })
  broken.catch(() => {})
  const breaks = (what: string) => (error?: unknown) =>
    end(error instanceof Error ? error : new Error(`the ${what} to RabbitMQ was closed`))
  connection.on('error', breaks('connection'))
  connection.on('close', breaks('connection'))
  const channel = await connection.createConfirmChannel()
  const returned = new Set<string>()
  channel.on('return', ({ properties }) => returned.add(String(properties.messageId)))
  channel.on('error', breaks('channel'))
  channel.on('close', () => {
    breaks('channel')()
    // The connection of a channel that was closed for a fault of ours would stay open beside the next one.
    void connection.close().catch(() => {})
  })
  return { connection, channel, returned, broken }
}

const toOptions = ({ id, topic, key, type, headers, createdAt }: OutboxMessage): RabbitPublishOptions => ({
  mandatory: true,
  persistent: true,
  messageId: id,
  type,
  ...(headers['content-type'] === undefined ? {} : { contentType: headers['content-type'] }),
  timestamp: Math.floor(createdAt.getTime() / 1000),
  headers: { ...headers, 'message-topic': topic, ...(key === null ? {} : { 'message-key': key }) },
})

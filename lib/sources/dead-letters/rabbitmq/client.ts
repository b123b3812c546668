import type { Channel, ChannelModel, ConfirmChannel, GetMessage } from 'amqplib'
import { type SourceFault, SourceUnavailableError } from '../../contracts'

export type Rabbit = ReturnType<typeof openRabbit>

const BY_WORD: readonly [RegExp, SourceFault, string][] = [
  [
    /ACCESS[_-]REFUSED.*(login|authentication)|403 .*login was refused|Handshake terminated/i,
    'credentials',
    'It refuses the credentials',
  ],
  [/403|ACCESS[_-]REFUSED/, 'permission', 'The user lacks a permission'],
  [/404|NOT[_-]FOUND/, 'schema_changed', 'It is not as it was when it was connected'],
  [/405|RESOURCE[_-]LOCKED/, 'overloaded', 'Another process of the console is reading it'],
  [/timed? ?out/i, 'slow', 'It is slow: no answer within the timeout'],
]

/** What amqplib threw, in words that tell the cases apart. Never the URL: amqplib puts none into its messages. */
export function unavailable(cause: unknown): SourceUnavailableError {
  if (cause instanceof SourceUnavailableError) return cause
  const text = cause instanceof Error ? cause.message || cause.name : String(cause)
  const known = BY_WORD.find(([pattern]) => pattern.test(text))
  const [, fault, said] = known ?? [null, 'down' as const, 'It cannot be reached']
  return new SourceUnavailableError(`${said}: ${text}`, {
    cause,
    fault,
    refused: known !== undefined && fault !== 'slow',
  })
}

/** One connection, made with the first call and again after it broke. The client is loaded with it. */
export function openRabbit(url: string, timeoutMs: number) {
  let opened: Promise<ChannelModel> | undefined

  async function connect(): Promise<ChannelModel> {
    const { connect: open } = await import('amqplib')
    const connection = await open(url, {
      timeout: timeoutMs,
      clientProperties: { connection_name: 'idemscope-dead-letters' },
    })
    const forget = () => {
      opened = undefined
    }
    connection.on('error', forget)
    connection.on('close', forget)
    return connection
  }

  /** A channel of its own, which is closed afterwards: what it holds goes back. */
  async function use<C extends Channel, T>(
    open: (connection: ChannelModel) => Promise<C>,
    work: (channel: C) => Promise<T>,
  ): Promise<T> {
    opened ??= connect()
    const connecting = opened
    let channel: C | undefined
    let broke: (error: unknown) => void = () => undefined
    const broken = new Promise<never>((_, reject) => {
      broke = reject
    })
    broken.catch(() => undefined)
    try {
      channel = await open(await connecting)
      channel.on('error', (error: unknown) => broke(error))
      channel.on('close', () => broke(new Error('the channel was closed')))
      return await Promise.race([work(channel), broken])
    } catch (error) {
      if (channel === undefined && opened === connecting) opened = undefined
      throw unavailable(error)
    } finally {
      await channel?.close().catch(() => undefined)
    }
  }

  return {
    channel: <T>(work: (channel: Channel) => Promise<T>): Promise<T> =>
      use((connection) => connection.createChannel(), work),
    /** Resolves once the broker has it in a queue; throws where no queue takes it. */
    publish: (queue: string, message: Pick<GetMessage, 'content'>, options: object): Promise<void> =>
      use(
        (connection) => connection.createConfirmChannel(),
        (channel: ConfirmChannel) =>
          new Promise<void>((resolve, reject) => {
            // An unroutable message is returned first and then confirmed.
            let returned = false
            channel.on('return', () => {
              returned = true
            })
            channel.publish(
              '',
              queue,
              message.content,
              { ...options, mandatory: true, persistent: true },
              (error) => {
                if (returned)
                  reject(
                    new SourceUnavailableError(`There is no queue ${queue} to send it to.`, {
                      refused: true,
                    }),
                  )
                else if (error) reject(error)
                else resolve()
              },
            )
          }),
      ),
    async close(): Promise<void> {
      const closing = opened
      opened = undefined
      await closing?.then((connection) => connection.close()).catch(() => undefined)
    },
  }
}

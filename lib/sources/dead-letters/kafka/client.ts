import type { Admin, Kafka, Message, Producer, SASLOptions } from 'kafkajs'
import { type SourceFault, SourceUnavailableError } from '../../contracts'
import type { KafkaSecret } from './config'
import { createReader, type Reader } from './reader'

const BY_WORD: readonly [RegExp, SourceFault, string][] = [
  [/SASL|authentication/i, 'credentials', 'It refuses the credentials'],
  [/AUTHORIZATION_FAILED|not authorized/i, 'permission', 'The user lacks a permission'],
  [
    /UNKNOWN_TOPIC_OR_PARTITION|does not host this topic|INVALID_TOPIC/i,
    'schema_changed',
    'There is no such topic',
  ],
  [/timed? ?out|no answer within/i, 'slow', 'It is slow: no answer within the timeout'],
]

/** What kafkajs threw, in words that tell the cases apart: it wraps what the broker said. */
export function unavailable(cause: unknown): SourceUnavailableError {
  if (cause instanceof SourceUnavailableError) return cause
  const texts: string[] = []
  for (let each = cause, depth = 0; each instanceof Error && depth < 5; each = each.cause, depth++)
    texts.push(`${'type' in each ? String(each.type) : each.name} ${each.message}`)
  const known = BY_WORD.find(([pattern]) => pattern.test(texts.join(' ')))
  const [, fault, said] = known ?? [null, 'down' as const, 'It cannot be reached']
  const text = cause instanceof Error ? cause.message : String(cause)
  const refused = known !== undefined && fault !== 'slow'
  return new SourceUnavailableError(`${said}: ${text}`, { cause, fault, refused })
}

function saslOf({ mechanism, username, password }: KafkaSecret): { sasl?: SASLOptions } {
  if (username === undefined || password === undefined) return {}
  if (mechanism === 'plain') return { sasl: { mechanism, username, password } }
  return mechanism === 'scram-sha-256'
    ? { sasl: { mechanism, username, password } }
    : { sasl: { mechanism, username, password } }
}

type TopicOffsets = { partition: number; low: bigint; high: bigint }

export type KafkaAccess = ReturnType<typeof openKafka>

/** Admin, producer and reader, each connected with its first use. The client is loaded with it. */
export function openKafka(secret: KafkaSecret, topics: readonly string[], timeoutMs: number) {
  let client: Promise<Kafka> | undefined
  let admin: Promise<Admin> | undefined
  let producer: Promise<Producer> | undefined
  let reader: Promise<Reader> | undefined

  async function connect(): Promise<Kafka> {
    const { Kafka: Client, logLevel } = await import('kafkajs')
    const { brokers, tls } = secret
    return new Client({
      clientId: 'idemscope',
      brokers: brokers.split(',').map((each) => each.trim()),
      ssl: tls === 'yes',
      logLevel: logLevel.NOTHING,
      connectionTimeout: timeoutMs,
      requestTimeout: timeoutMs,
      retry: { retries: 2, initialRetryTime: 100, maxRetryTime: 1_000 },
      ...saslOf(secret),
    })
  }
  const kafka = () => {
    client ??= connect()
    return client
  }
  /** Made again by the next call, where making it failed. */
  async function guarded<T>(work: () => Promise<T>, forget: () => void): Promise<T> {
    try {
      return await work()
    } catch (error) {
      forget()
      throw unavailable(error)
    }
  }

  return {
    offsets: (topic: string): Promise<TopicOffsets[]> =>
      guarded(
        async () => {
          admin ??= kafka().then(async (each) => {
            const made = each.admin()
            await made.connect()
            return made
          })
          const found = await (await admin).fetchTopicOffsets(topic)
          return found
            .map(({ partition, low, high }) => ({ partition, low: BigInt(low), high: BigInt(high) }))
            .sort((a, b) => a.partition - b.partition)
        },
        () => {
          admin?.then((each) => each.disconnect()).catch(() => undefined)
          admin = undefined
        },
      ),
    topics: (): Promise<string[]> =>
      guarded(
        async () => {
          const made = (await kafka()).admin()
          await made.connect()
          try {
            return await made.listTopics()
          } finally {
            await made.disconnect()
          }
        },
        () => undefined,
      ),
    /** Resolves once all in-sync replicas have it. */
    send: (topic: string, message: Message): Promise<void> =>
      guarded(
        async () => {
          producer ??= kafka().then(async (each) => {
            const made = each.producer({ allowAutoTopicCreation: false })
            await made.connect()
            return made
          })
          await (await producer).send({ topic, acks: -1, timeout: timeoutMs, messages: [message] })
        },
        () => {
          producer?.then((each) => each.disconnect()).catch(() => undefined)
          producer = undefined
        },
      ),
    /** Records of a partition from an offset up to another one, exclusive. */
    read: (topic: string, partition: number, from: bigint, to: bigint) =>
      guarded(
        async () => {
          reader ??= kafka().then((each) => createReader(each, topics, timeoutMs))
          return (await reader).read({ topic, partition, from, to })
        },
        () => {
          reader?.then((each) => each.close()).catch(() => undefined)
          reader = undefined
        },
      ),
    async close(): Promise<void> {
      const closing = [
        admin?.then((each) => each.disconnect()),
        producer?.then((each) => each.disconnect()),
        reader?.then((each) => each.close()),
      ]
      await Promise.allSettled(closing)
    },
  }
}

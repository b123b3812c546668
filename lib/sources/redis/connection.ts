import { Redis, ReplyError } from 'ioredis'
import { type SourceFault, SourceUnavailableError } from '../contracts'

type ClientOptions = { name: string; commandTimeoutMs: number }

/** One connection, made now. Nothing is sent again, and it is never made anew: a lost answer is told. */
export async function connectClient(url: string, options: ClientOptions, onEnd: () => void): Promise<Redis> {
  const client = new Redis(url, {
    lazyConnect: true,
    // A connection that listens is told of changes as messages: in RESP3 ioredis would drop them.
    protocol: 2,
    connectionName: options.name,
    disableClientInfo: true,
    connectTimeout: Math.min(options.commandTimeoutMs, 5_000),
    commandTimeout: options.commandTimeoutMs,
    retryStrategy: () => null,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    enableReadyCheck: false,
  })
  let cause: unknown
  client.on('error', (error: unknown) => {
    cause = error
  })
  client.on('end', onEnd)
  try {
    await client.connect()
    // A password that is wrong is told after the connection was made.
    await client.ping()
    // What is looked at is not used: a server that evicts by use (7.2 and later) is told so. Others read on.
    await client.call('CLIENT', 'NO-TOUCH', 'ON').catch(() => undefined)
    return client
  } catch (error) {
    client.disconnect()
    throw unavailable(cause ?? error)
  }
}

export type RedisConnection = {
  use<T>(work: (client: Redis) => Promise<T>): Promise<T>
  close(): void
}

/** A connection that is made when it is needed, and made anew by the next call after it was lost. */
export function openConnection(url: string, options: ClientOptions): RedisConnection {
  let current: Promise<Redis> | undefined
  const forget = () => {
    current = undefined
  }
  return {
    async use(work) {
      try {
        current ??= connectClient(url, options, forget).catch((error: unknown) => {
          forget()
          throw error
        })
        return await work(await current)
      } catch (error) {
        throw unavailable(error)
      }
    },
    close() {
      const closing = current
      forget()
      closing?.then((client) => client.disconnect()).catch(() => undefined)
    },
  }
}

const BY_WORD: readonly [RegExp, SourceFault][] = [
  [
    /^(NOAUTH|WRONGPASS)|AUTH.*(no password|without any password)|invalid (username|password)/i,
    'credentials',
  ],
  [/^NOPERM/, 'permission'],
  [/^READONLY/, 'read_only'],
  [/^(OOM|MISCONF)|max number of clients/i, 'overloaded'],
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|BUSY )/, 'down'],
]
const SAID: Record<SourceFault, string> = {
  down: 'It cannot be reached',
  slow: 'It is slow: no answer within the timeout',
  read_only: 'It is read-only: a replica',
  schema_changed: 'Its keys are not as they were when it was connected',
  permission: 'The user lacks a right',
  credentials: 'It refuses the credentials',
  overloaded: 'It has no room: out of memory, or too many connections',
  other: 'It answers with an error',
}

/** What ioredis threw, in words that tell the cases apart. Never the URL: ioredis puts none into its messages. */
export function unavailable(cause: unknown): Error {
  if (cause instanceof SourceUnavailableError) return cause
  if (!(cause instanceof Error)) return new SourceUnavailableError(String(cause), { fault: 'other' })
  const answered = cause instanceof ReplyError || cause.name === 'ReplyError'
  const known = BY_WORD.find(([pattern]) => pattern.test(cause.message))?.[1]
  if (!answered && known === undefined && !isConnectionError(cause)) return cause
  const fault = known ?? (answered ? 'other' : /timed out|ETIMEDOUT/i.test(cause.message) ? 'slow' : 'down')
  const refused = answered && fault !== 'down'
  return new SourceUnavailableError(`${SAID[fault]}: ${cause.message}`, { cause, fault, refused })
}

const isConnectionError = (error: Error): boolean =>
  'code' in error ||
  /connection is closed|timed out|max retries|stream isn't writeable|can't be established/i.test(
    error.message,
  )

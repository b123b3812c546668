import { createHash } from 'node:crypto'
import { IdempotencyConfig, makeIdempotent } from '@aws-lambda-powertools/idempotency'
import { DynamoDBPersistenceLayer } from '@aws-lambda-powertools/idempotency/dynamodb'
import type { Item, Tables } from './fixture'

type Returned = { id: string } | { statusCode: number; body: string } | undefined

/** What the real library does, with a handler that ends when it is told to. */
export type Call = {
  /** The handler runs: its item is there. */
  running: Promise<void>
  succeed(value: Returned): void
  fail(): void
  answer: Promise<Returned>
  /** Ends it either way, and waits until the library is through with it. */
  end(how: Returned | 'fails'): Promise<void>
}

export type Powertools = ReturnType<typeof usePowertools>

/** One idempotent function of the real library on a table. */
export function usePowertools(
  tables: Tables,
  tableName: string,
  options: { sort?: string; attributes?: Record<string, string>; remainingMs?: number | null } = {},
) {
  const { remainingMs = 60_000 } = options
  const executed: string[] = []

  /** A process of its own: nothing is shared but the table. */
  function call(key: string, over: { remainingMs?: number | null } = {}): Call {
    const remaining = over.remainingMs === undefined ? remainingMs : over.remainingMs
    const config = new IdempotencyConfig({ eventKeyJmesPath: 'key' })
    if (remaining !== null)
      config.registerLambdaContext({ getRemainingTimeInMillis: () => remaining } as never)
    const persistenceStore = new DynamoDBPersistenceLayer({
      tableName,
      awsSdkV3Client: tables.client,
      ...(options.sort === undefined ? {} : { sortKeyAttr: options.sort, staticPkValue: 'idempotency#pay' }),
      ...options.attributes,
    })
    let begin = () => {}
    let end: (value: Returned) => void = () => {}
    let fail: (error: Error) => void = () => {}
    const running = new Promise<void>((resolve) => {
      begin = resolve
    })
    const handled = new Promise<Returned>((resolve, reject) => {
      end = resolve
      fail = reject
    })
    handled.catch(() => undefined)
    const handler = async (event: { key: string }): Promise<Returned> => {
      executed.push(event.key)
      begin()
      return handled
    }
    const idempotent = makeIdempotent(handler, { persistenceStore, config, keyPrefix: 'pay' })
    const answer = idempotent({ key }) as Promise<Returned>
    answer.catch(() => undefined)
    return {
      running,
      succeed: (value) => end(value),
      fail: () => fail(new Error('failed')),
      answer,
      async end(how) {
        if (how === 'fails') fail(new Error('failed'))
        else end(how)
        await answer.catch(() => undefined)
      },
    }
  }

  const hashOf = (key: string): string => createHash('md5').update(JSON.stringify(key)).digest('base64')
  const keyAttr = options.attributes?.keyAttr ?? 'id'
  const placeOf = (key: string): Item =>
    options.sort === undefined
      ? { [keyAttr]: { S: `pay#${hashOf(key)}` } }
      : { [keyAttr]: { S: 'idempotency#pay' }, [options.sort]: { S: `pay#${hashOf(key)}` } }

  return {
    executed,
    call,
    hashOf,
    placeOf,
    itemOf: (key: string) => tables.get(tableName, placeOf(key)),
    async hold(key: string, over: { remainingMs?: number | null } = {}): Promise<Call> {
      const held = call(key, over)
      await held.running
      return held
    },
    async finish(key: string, value: Returned): Promise<void> {
      const held = call(key)
      await held.running
      held.succeed(value)
      await held.answer
    },
    /** As if it had been taken six minutes ago, for one: its holder is dead, or so it seems. */
    async kill(key: string) {
      const nowMs = Date.now()
      const expiresS = Math.round(nowMs / 1_000) - 360 + 3_600
      await tables.set(tableName, placeOf(key), 'expiration', { N: String(expiresS) })
      await tables.set(tableName, placeOf(key), 'in_progress_expiration', { N: String(nowMs - 300_000) })
    },
  }
}

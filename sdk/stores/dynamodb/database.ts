import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  GetItemCommand,
  QueryCommand,
  type QueryCommandInput,
  type ReturnValue,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { type Clock, sleep } from '../../clock'
import { StoreUnavailableError } from '../../errors'
import { type Condition, createExpression, num, type Path } from './expression'
import type { ItemKey } from './layout'
import { createServerClock, type ServerClock } from './server-clock'
import { asStoreError, isWorthRepeating } from './unavailable'

export type Item = Record<string, AttributeValue>

export type Update = {
  when: Condition
  set: readonly (readonly [Path, AttributeValue])[]
  remove?: readonly Path[]
  /** An attribute that is written as it is, so that `returns: 'UPDATED_OLD'` has it. */
  keep?: string
  returns?: ReturnValue
}

export type Written =
  | { done: true; attributes: Item }
  /** `item` = as it was when the condition failed; `repeated` = an earlier sending of this update may be what changed it. */
  | { done: false; item: Item | null; repeated: boolean }

/** What every command of the client has; declared here so that all of them fit. */
type Send = <Output>(
  command: { middlewareStack: { add(middleware: never, options: never): void } },
  operation: (signal: AbortSignal) => Promise<Output>,
) => Promise<{ output: Output; repeated: boolean }>

/** The table, with the store's own timer and DynamoDB's clock, and the client's errors translated. */
export type TableDatabase = {
  client: DynamoDBClient
  tableName: string
  /** Epoch milliseconds on DynamoDB's clock. */
  nowMs(): number
  /** The same in microseconds, later than what it gave before. */
  nextMicros(): bigint
  send: Send
  get(key: ItemKey): Promise<Item | null>
  update(key: ItemKey, update: Update): Promise<Written>
  query(input: Omit<QueryCommandInput, 'TableName'>): Promise<Item[]>
}

/** After a reply that was lost or a request that was throttled, beside what the client itself repeats. */
const REPEAT_DELAYS_MS = [25, 100, 400]

export type DatabaseOptions = {
  client: DynamoDBClient
  tableName: string
  clock: Clock
  operationTimeoutMs: number
  /** Shared by those who ask the same engine. */
  server?: ServerClock
}

export function openTableDatabase(options: DatabaseOptions): TableDatabase {
  const { client, tableName, clock, operationTimeoutMs } = options
  const server = options.server ?? createServerClock(clock)

  /** Sees the `Date` of every reply, refusals and repetitions by the client included. */
  const readDate = (next: (args: unknown) => Promise<{ response: unknown }>) => async (args: unknown) => {
    const sentMs = clock.nowMs()
    const result = await next(args)
    const headers = (result.response as { headers?: Record<string, string> }).headers
    server.observe(headers?.date, sentMs)
    return result
  }

  const send: Send = async (command, operation) => {
    // On the command, not on the client, which is the service's own.
    command.middlewareStack.add(readDate as never, { step: 'deserialize', priority: 'low' } as never)
    const endMs = clock.nowMs() + operationTimeoutMs
    for (let sent = 0; ; sent += 1) {
      try {
        const output = await withinTime(clock, endMs, operationTimeoutMs, operation)
        return { output, repeated: sent > 0 || attemptsOf(output) > 1 }
      } catch (thrown) {
        const error = asStoreError(thrown)
        const delayMs = REPEAT_DELAYS_MS[sent]
        if (sent > 0 && thrown instanceof ConditionalCheckFailedException)
          throw Object.assign(thrown, { repeated: true })
        if (delayMs === undefined || !isWorthRepeating(error) || clock.nowMs() + delayMs >= endMs) throw error
        await sleep(clock, delayMs)
      }
    }
  }

  async function get(key: ItemKey): Promise<Item | null> {
    const command = new GetItemCommand({
      TableName: tableName,
      Key: { pk: { S: key.pk }, sk: { S: key.sk } },
      ConsistentRead: true,
    })
    const { output } = await send(command, (abortSignal) => client.send(command, { abortSignal }))
    return output.Item ?? null
  }

  return {
    client,
    tableName,
    nowMs: server.nowMs,
    nextMicros: server.nextMicros,
    send,
    get,
    async update(key, update) {
      const command = new UpdateItemCommand(updateInput(tableName, key, update))
      try {
        const { output } = await send(command, (abortSignal) => client.send(command, { abortSignal }))
        return { done: true, attributes: output.Attributes ?? {} }
      } catch (error) {
        if (!(error instanceof ConditionalCheckFailedException)) throw error
        const repeated = 'repeated' in error || attemptsOf(error) > 1
        // An engine, or something between, that leaves the item out: then it is read, a moment later.
        return { done: false, item: error.Item ?? (await get(key)), repeated }
      }
    },
    async query(input) {
      const items: Item[] = []
      let from: Item | undefined
      do {
        const command: QueryCommand = new QueryCommand({
          ...input,
          TableName: tableName,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        })
        const { output } = await send(command, (abortSignal) => client.send(command, { abortSignal }))
        items.push(...(output.Items ?? []))
        from = output.LastEvaluatedKey
      } while (from !== undefined && items.length < QUERY_ITEMS_MAX)
      return items
    },
  }
}

const QUERY_ITEMS_MAX = 10_000

const attemptsOf = (answer: unknown): number =>
  (answer as { $metadata?: { attempts?: number } }).$metadata?.attempts ?? 1

/** The store's own timer: the client's may be off, or the client may not listen to its signal. */
async function withinTime<Output>(
  clock: Clock,
  endMs: number,
  timeoutMs: number,
  operation: (signal: AbortSignal) => Promise<Output>,
): Promise<Output> {
  const abort = new AbortController()
  let cancel = () => {}
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(Math.max(0, endMs - clock.nowMs()), () => {
      abort.abort()
      reject(new StoreUnavailableError(`the idempotency store did not answer within ${timeoutMs} ms`))
    })
  })
  try {
    return await Promise.race([operation(abort.signal), timeout])
  } finally {
    cancel()
  }
}

/** The conditional write of an item, which counts up its `v`. */
export function updateInput(
  tableName: string,
  key: ItemKey,
  { when, set, remove = [], keep, returns }: Update,
) {
  const e = createExpression()
  const condition = when(e)
  const sets = set.map(([path, value]) => `${e.path(path)} = ${e.value(value)}`)
  if (keep !== undefined) sets.push(`${e.path(keep)} = ${e.path(keep)}`)
  const removes = remove.length === 0 ? '' : ` REMOVE ${remove.map(e.path).join(', ')}`
  return {
    TableName: tableName,
    Key: { pk: { S: key.pk }, sk: { S: key.sk } },
    ConditionExpression: condition,
    UpdateExpression: `${sets.length === 0 ? '' : `SET ${sets.join(', ')}`}${removes} ADD ${e.path('v')} ${e.value(num(1))}`,
    ExpressionAttributeNames: e.names,
    ExpressionAttributeValues: e.values,
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD' as const,
    ...(returns === undefined ? {} : { ReturnValues: returns }),
  }
}

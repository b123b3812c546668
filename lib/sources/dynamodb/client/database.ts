import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  ListTablesCommand,
  QueryCommand,
  type QueryCommandInput,
  ScanCommand,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb'
import { SourceUnavailableError } from '../../contracts'
import type { DynamoSecret } from '../address'
import { unavailable } from './fault'
import type { Item } from './value'

/** Answered with DynamoDB's own clock, in whole seconds, rounded down: never later than it is there. */
export type Answered<T> = T & { now: Date }

export type TableSize = {
  partition: string
  sort: string | null
  indexes: string[]
  items: number
  bytes: number
}
export type ScannedPage = { items: Item[]; last: Item | null; scanned: number; units: number }

export type Database = ReturnType<typeof openDatabase>

type Request = { table: string; attributes: readonly string[] }

/** Reads may be repeated by the client; a write is sent once, since its condition would fail on its own repetition. */
const READ_ATTEMPTS = 3

/** Attributes by placeholders: any name may be a reserved word. */
export function placeholders(attributes: readonly string[]) {
  const names = Object.fromEntries(attributes.map((attribute, place) => [`#a${place}`, attribute]))
  const of = (attribute: string): string => {
    const place = attributes.indexOf(attribute)
    if (place < 0) throw new Error(`no placeholder for ${attribute}`)
    return `#a${place}`
  }
  return { names, of, all: Object.keys(names).join(', ') }
}

export function openDatabase(secret: DynamoSecret, requestTimeoutMs: number) {
  const { region, endpoint, accessKeyId, secretAccessKey } = secret
  const open = (maxAttempts: number, keepAlive: boolean) =>
    new DynamoDBClient({
      region,
      maxAttempts,
      requestHandler: { httpAgent: { keepAlive }, httpsAgent: { keepAlive } },
      ...(endpoint === undefined ? {} : { endpoint }),
      ...(accessKeyId === undefined || secretAccessKey === undefined
        ? {}
        : { credentials: { accessKeyId, secretAccessKey } }),
    })
  const reader = open(READ_ATTEMPTS, true)
  // A kept connection may have been closed at the other end: a write on it would have no answer.
  const writer = open(1, false)
  for (const client of [reader, writer]) keepDates(client)
  const within = () => ({ abortSignal: AbortSignal.timeout(requestTimeoutMs) })
  const call = <T extends { $metadata: object }>(request: Promise<T>): Promise<Answered<T>> =>
    request.then(
      (output) => ({ ...output, now: dateOf(output.$metadata) }),
      (cause: unknown) => {
        throw unavailable(cause)
      },
    )

  async function describe(table: string): Promise<Answered<TableSize>> {
    const { Table, now } = await call(reader.send(new DescribeTableCommand({ TableName: table }), within()))
    const key = (type: 'HASH' | 'RANGE') =>
      Table?.KeySchema?.find(({ KeyType }) => KeyType === type)?.AttributeName ?? null
    const numeric = (Table?.AttributeDefinitions ?? []).find(
      ({ AttributeName, AttributeType }) =>
        AttributeType !== 'S' && [key('HASH'), key('RANGE')].includes(AttributeName ?? ''),
    )
    if (numeric !== undefined)
      throw new SourceUnavailableError(`The key ${numeric.AttributeName} of ${table} is no text`, {
        fault: 'schema_changed',
        refused: true,
      })
    return {
      partition: key('HASH') ?? '',
      sort: key('RANGE'),
      indexes: (Table?.GlobalSecondaryIndexes ?? []).map(({ IndexName }) => IndexName ?? ''),
      items: Table?.ItemCount ?? 0,
      bytes: Table?.TableSizeBytes ?? 0,
      now,
    }
  }

  return {
    describe,
    /** For what the SDK asks of a table itself. */
    client: reader,
    /** One page. */
    async query(input: QueryCommandInput): Promise<Answered<{ items: Item[]; last: Item | null }>> {
      const { Items, LastEvaluatedKey, now } = await call(reader.send(new QueryCommand(input), within()))
      return { items: Items ?? [], last: LastEvaluatedKey ?? null, now }
    },
    /** At most a hundred. */
    async tables(): Promise<string[]> {
      return (await call(reader.send(new ListTablesCommand({ Limit: 100 }), within()))).TableNames ?? []
    },
    async get({ table, attributes }: Request, key: Item): Promise<Answered<{ item: Item | null }>> {
      const { names, all } = placeholders(attributes)
      const command = new GetItemCommand({
        TableName: table,
        Key: key,
        ConsistentRead: true,
        ProjectionExpression: all,
        ExpressionAttributeNames: names,
      })
      const { Item, now } = await call(reader.send(command, within()))
      return { item: Item ?? null, now }
    },
    /** At most a hundred keys. `left` = it did not come to them. */
    async getMany({ table, attributes }: Request, keys: readonly Item[]) {
      const { names, all } = placeholders(attributes)
      const command = new BatchGetItemCommand({
        ReturnConsumedCapacity: 'TOTAL',
        RequestItems: {
          [table]: {
            Keys: [...keys],
            ConsistentRead: true,
            ProjectionExpression: all,
            ExpressionAttributeNames: names,
          },
        },
      })
      const output = await call(reader.send(command, within()))
      return {
        items: output.Responses?.[table] ?? [],
        left: output.UnprocessedKeys?.[table]?.Keys ?? [],
        units: output.ConsumedCapacity?.[0]?.CapacityUnits ?? keys.length,
      }
    },
    /** Eventually consistent: half the price. A filter saves the network, not the capacity. */
    async scan(
      { table, attributes }: Request,
      page: {
        limit: number
        from: Item | null
        segment?: { of: number; number: number }
        filter?: { expression: string; values?: Item }
      },
    ): Promise<Answered<ScannedPage>> {
      const { names, all } = placeholders(attributes)
      const whole = attributes.length === 0
      const command = new ScanCommand({
        TableName: table,
        Limit: page.limit,
        ReturnConsumedCapacity: 'TOTAL',
        ...(whole ? {} : { ProjectionExpression: all, ExpressionAttributeNames: names }),
        ...(page.from === null ? {} : { ExclusiveStartKey: page.from }),
        ...(page.segment === undefined
          ? {}
          : { Segment: page.segment.number, TotalSegments: page.segment.of }),
        ...(page.filter === undefined
          ? {}
          : {
              FilterExpression: page.filter.expression,
              ...(page.filter.values === undefined ? {} : { ExpressionAttributeValues: page.filter.values }),
            }),
      })
      const output = await call(reader.send(command, within()))
      return {
        items: output.Items ?? [],
        last: output.LastEvaluatedKey ?? null,
        scanned: output.ScannedCount ?? 0,
        units: output.ConsumedCapacity?.CapacityUnits ?? 0,
        now: output.now,
      }
    },
    /** False = the condition did not hold. */
    async update(input: UpdateItemCommandInput): Promise<boolean> {
      try {
        await writer.send(new UpdateItemCommand(input), within())
        return true
      } catch (cause) {
        if (cause instanceof ConditionalCheckFailedException) return false
        throw unavailable(cause)
      }
    },
    close() {
      reader.destroy()
      writer.destroy()
    },
  }
}

const DATE = 'idemscopeDate'

/** Every answer has a Date header; the client keeps no header, so it is put beside what it does keep. */
function keepDates(client: DynamoDBClient): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      const { headers } = result.response as { headers?: Record<string, string> }
      Object.assign(result.output?.$metadata ?? {}, { [DATE]: headers?.date })
      return result
    },
    { step: 'deserialize', priority: 'high', name: 'idemscopeKeepDate' },
  )
}

function dateOf(metadata: object): Date {
  const at = Date.parse(String(Reflect.get(metadata, DATE)))
  if (Number.isNaN(at))
    throw new SourceUnavailableError(
      'It answers without a Date header: nothing tells the time of its clock',
      {
        refused: true,
      },
    )
  return new Date(at)
}

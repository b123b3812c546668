import {
  type AttributeValue,
  CreateTableCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import type { z } from 'zod'
import { manualClock } from '@/lib/core/clock'
import type { IntentSource, LeaseRow } from '@/lib/sources/contracts'
import { dynamoConfigSchema } from '@/lib/sources/dynamodb/config'
import { type DynamoRules, openDynamoSource } from '@/lib/sources/dynamodb/open'
import { type Fault, startEmulator } from '../../sdk/dynamodb/emulator'

export type Item = Record<string, AttributeValue>
export type DynamoInput = z.input<typeof dynamoConfigSchema>

/** Tables on the emulator: the library has a line of its own, and the console's answers can be refused or lost. */
export async function startTables() {
  const emulator = await startEmulator()
  const { client } = await emulator.openLine()
  const line = await emulator.openLine()
  let mended = 0
  const secret = { region: 'local', endpoint: line.endpoint, accessKeyId: 'test', secretAccessKey: 'test' }
  return {
    client,
    secret,
    /** Requests of the console, by their kind. */
    calls: (operation: string) => line.seen.filter((seen) => seen.operation === operation).length,
    /** The console's next `times` requests of this kind, until it is mended. */
    breakNext(operation: string, fault: Fault, times = 1) {
      const of = mended
      for (let n = 0; n < times; n++)
        line.breakNext(fault, (seen) => seen.operation === operation && of === mended)
    },
    mend: () => {
      mended += 1
    },
    async create(TableName: string, partition: string, sort?: string) {
      const keys = [partition, ...(sort === undefined ? [] : [sort])]
      await client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
          KeySchema: keys.map((AttributeName, n) => ({ AttributeName, KeyType: n === 0 ? 'HASH' : 'RANGE' })),
        }),
      )
    },
    open: (config: DynamoInput, rules: DynamoRules = {}): IntentSource =>
      openDynamoSource(dynamoConfigSchema.parse(config), secret, rules),
    async put(TableName: string, Item: Item) {
      await client.send(new PutItemCommand({ TableName, Item }))
    },
    async get(TableName: string, Key: Item): Promise<Item | undefined> {
      return (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item
    },
    async set(TableName: string, Key: Item, attribute: string, value: AttributeValue) {
      await client.send(
        new UpdateItemCommand({
          TableName,
          Key,
          UpdateExpression: 'SET #a = :v',
          ExpressionAttributeNames: { '#a': attribute },
          ExpressionAttributeValues: { ':v': value },
        }),
      )
    },
    close: () => emulator.close(),
  }
}
export type Tables = Awaited<ReturnType<typeof startTables>>

/** The console's clock and its waits, which move each other; and what was spent when. */
export function createTime(start: Date | string = new Date()) {
  const clock = manualClock(start)
  const waits: number[] = []
  return {
    clock,
    waits,
    waiting: {
      nowMs: () => clock.now().getTime(),
      sleep: async (ms: number) => {
        waits.push(ms)
        clock.advance(ms)
      },
      random: () => 0.5,
    },
  }
}

export async function leaseOf(source: IntentSource, scope: string, key: string): Promise<LeaseRow> {
  const { lease } = await source.readKey(scope, key)
  if (lease === null) throw new Error(`no lease of ${key}`)
  return lease
}

/** Every record, to the end of a walk. */
export async function allRecords(source: IntentSource, from: string | null = null, limit = 200) {
  const pages = []
  let cursor = from
  for (let n = 0; n < 1_000; n++) {
    const page = await source.readRecords(cursor, limit)
    pages.push(page)
    cursor = page.cursor
    if (!page.more) break
  }
  return { pages, cursor, items: pages.flatMap(({ items }) => items), last: pages.at(-1) }
}

import { randomUUID } from 'node:crypto'
import {
  DeleteItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb'
import { createDynamoStore, type DynamoStore, type DynamoStoreOptions } from '@/sdk/stores/dynamodb'
import { keyItemOf } from '@/sdk/stores/dynamodb/layout'
import { BARE_TABLE, type Emulator, type Item, type Line, startEmulator } from './emulator'

type Target = { scope: string; key: string }

export type DynamoFixture = {
  emulator: Emulator
  line: Line
  tableName: string
  store: DynamoStore
  openStore(over?: Partial<DynamoStoreOptions>): DynamoStore
  item(target: Target): Promise<Item | null>
  /** Changes the item, as somebody else does: with `v`, like everybody. */
  change(target: Target, expression: string, values?: Item, names?: Record<string, string>): Promise<void>
  remove(target: Target): Promise<void>
  close(): Promise<void>
}

/** A store on an emulated table of its own, with the tier `default` of one hour. `bare` = failed conditions bring no item. */
export async function createDynamoFixture({
  bare = false,
  ...over
}: Partial<DynamoStoreOptions> & { bare?: boolean } = {}): Promise<DynamoFixture> {
  const emulator = await startEmulator()
  const line = await emulator.openLine()
  const tableName = `${bare ? BARE_TABLE : 'idem-'}${randomUUID()}`
  const stores: DynamoStore[] = []
  const openStore = (more: Partial<DynamoStoreOptions> = {}) => {
    const store = createDynamoStore({
      client: line.client,
      tableName,
      operationTimeoutMs: 60_000,
      ...over,
      ...more,
    })
    stores.push(store)
    return store
  }
  const store = openStore()
  await store.createTable()
  await store.registerTier('default', 3_600_000)
  const client: DynamoDBClient = line.newClient()
  const keyOf = (target: Target) => {
    const { pk, sk } = keyItemOf(target)
    return { TableName: tableName, Key: { pk: { S: pk }, sk: { S: sk } } }
  }
  return {
    emulator,
    line,
    tableName,
    store,
    openStore,
    item: async (target) =>
      (await client.send(new GetItemCommand({ ...keyOf(target), ConsistentRead: true }))).Item ?? null,
    async change(target, expression, values = {}, names = {}) {
      await client.send(
        new UpdateItemCommand({
          ...keyOf(target),
          UpdateExpression: `${expression} ADD v :one`,
          ExpressionAttributeValues: { ...values, ':one': { N: '1' } },
          ...(Object.keys(names).length === 0 ? {} : { ExpressionAttributeNames: names }),
        }),
      )
    },
    async remove(target) {
      await client.send(new DeleteItemCommand(keyOf(target)))
    },
    async close() {
      for (const one of stores) one.close()
      await emulator.close()
    },
  }
}

/** Ends the lease of a key so much earlier. */
export async function ageLease(fixture: DynamoFixture, target: Target, byMs: number): Promise<void> {
  const item = await fixture.item(target)
  if (item?.u?.N === undefined) return
  await fixture.change(target, 'SET u = :u', { ':u': { N: String(Number(item.u.N) - byMs) } })
}

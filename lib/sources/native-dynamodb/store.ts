import { type Clock, isWithin } from '@/lib/core/clock'
import { type ItemKey, TIER_PARTITION } from '@/sdk/stores/dynamodb/layout'
import type { Answered, Database, TableSize } from '../dynamodb/client/database'
import type { Item } from '../dynamodb/client/value'
import type { CapacityBudget } from '../dynamodb/walk/budget'
import type { Look } from '../dynamodb/walk/look'
import type { NativeDynamoConfig } from './config'

/** How long each tier keeps its records, in ms. */
export type Tiers = ReadonlyMap<string, number>

/** What one process knows of a table of the SDK's. */
export type OwnTable = {
  config: NativeDynamoConfig
  database: Database
  budget: CapacityBudget
  clock: Clock
  size: TableSize | null
  whole: { look: Look } | null
  tiers: { tiers: Tiers; readMs: number } | null
}

/** Every attribute of an item of a key: `sdk/stores/dynamodb/layout.ts` says what each is. */
export const ATTRIBUTES = 'pk sk s f v a o n c u h p t i r e steps live q d b z m g x ttl'.split(' ')

export const placeOf = ({ pk, sk }: ItemKey): Item => ({ pk: { S: pk }, sk: { S: sk } })

/** One item, consistently. */
export const getItem = (
  { database, config }: OwnTable,
  key: ItemKey,
): Promise<Answered<{ item: Item | null }>> =>
  database.get({ table: config.table, attributes: ATTRIBUTES }, placeOf(key))

/** Items of one partition of the table, up to so many. */
export async function readPartitionItems(
  { database, config }: OwnTable,
  partition: string,
  itemsMax: number,
): Promise<Answered<{ items: Item[] }>> {
  const items: Item[] = []
  let from: Item | null = null
  for (;;) {
    const page: Answered<{ items: Item[]; last: Item | null }> = await database.query({
      TableName: config.table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: partition } },
      ConsistentRead: true,
      ...(from === null ? {} : { ExclusiveStartKey: from }),
    })
    items.push(...page.items)
    from = page.last
    if (from === null || items.length >= itemsMax) return { items: items.slice(0, itemsMax), now: page.now }
  }
}

const TIERS_EVERY_MS = 60_000
const TIERS_MAX = 1_000

export async function readTiers(table: OwnTable): Promise<Tiers> {
  const nowMs = table.clock.now().getTime()
  if (table.tiers !== null && isWithin(TIERS_EVERY_MS, nowMs, table.tiers.readMs)) return table.tiers.tiers
  const { items } = await readPartitionItems(table, TIER_PARTITION, TIERS_MAX)
  const tiers = new Map(items.map(({ sk, ms }) => [sk?.S ?? '', Number(ms?.N)]))
  table.tiers = { tiers, readMs: nowMs }
  return tiers
}

import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  type KeySchemaElement,
  type TableDescription,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb'
import { type Clock, sleep } from '../../clock'
import type { TableDatabase } from './database'
import { LIVE_INDEX, TTL_ATTRIBUTE } from './layout'

/** What is known of the table, and what of it is not as it should be. */
export type DynamoHealth = {
  /**
   * `one_region`: acknowledged writes are in three availability zones. `all_regions`: in every region of a strongly
   * consistent global table. `not_verified`: started on the word of `assumeDurable`.
   */
  durability: 'one_region' | 'all_regions' | 'not_verified' | 'unchecked'
  /** Nothing is executed while there is one. */
  faults: string[]
  warnings: string[]
}

const KEYS: KeySchemaElement[] = [
  { AttributeName: 'pk', KeyType: 'HASH' },
  { AttributeName: 'sk', KeyType: 'RANGE' },
]
const INDEX_KEYS: KeySchemaElement[] = [
  { AttributeName: 'live', KeyType: 'HASH' },
  { AttributeName: 'c', KeyType: 'RANGE' },
]

const POLL_MS = 500
const POLLS_MAX = 240

/** Makes the table, on demand, with its index and its TTL; what is there already is left as it is. */
export async function createStoreTable(db: TableDatabase, clock: Clock): Promise<{ created: boolean }> {
  const create = new CreateTableCommand({
    TableName: db.tableName,
    BillingMode: 'PAY_PER_REQUEST',
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
      { AttributeName: 'live', AttributeType: 'N' },
      { AttributeName: 'c', AttributeType: 'N' },
    ],
    KeySchema: KEYS,
    GlobalSecondaryIndexes: [
      { IndexName: LIVE_INDEX, KeySchema: INDEX_KEYS, Projection: { ProjectionType: 'KEYS_ONLY' } },
    ],
  })
  const created = await db
    .send(create, (abortSignal) => db.client.send(create, { abortSignal }))
    .then(() => true)
    .catch((error: unknown) => {
      // Another process makes it, or it is there.
      if (nameOf(error) === 'ResourceInUseException') return false
      throw error
    })
  for (let poll = 0; (await describe(db)).TableStatus !== 'ACTIVE'; poll += 1) {
    if (poll >= POLLS_MAX) throw new Error(`table ${db.tableName} did not become ACTIVE`)
    await sleep(clock, POLL_MS)
  }
  if ((await readTtl(db)) === null) {
    const enable = new UpdateTimeToLiveCommand({
      TableName: db.tableName,
      TimeToLiveSpecification: { AttributeName: TTL_ATTRIBUTE, Enabled: true },
    })
    await db.send(enable, (abortSignal) => db.client.send(enable, { abortSignal }))
  }
  return { created }
}

/** Reads what the table is; changes nothing. */
export async function checkStoreTable(db: TableDatabase, assumeDurable: boolean): Promise<DynamoHealth> {
  const faults: string[] = []
  const doubts: string[] = []
  let durability: DynamoHealth['durability'] = 'not_verified'
  const look = async (action: string, judge: () => Promise<void>) => {
    try {
      await judge()
    } catch (error) {
      if (nameOf(error) === 'ResourceNotFoundException')
        faults.push(
          `there is no table ${db.tableName}: call createTable, or see its name and region (${action})`,
        )
      // Whoever may not look does not know.
      else if (nameOf(error) === 'AccessDeniedException')
        doubts.push(`not verified: this role may not call dynamodb:${action}; dynamoPolicy gives that right`)
      else throw error
    }
  }
  await look('DescribeTable', async () => {
    const table = await describe(db)
    faults.push(...findTableFaults(db.tableName, table))
    const replicas = table.Replicas ?? []
    if (replicas.length > 0 && table.MultiRegionConsistency !== 'STRONG')
      doubts.push(
        `table ${db.tableName} is replicated to ${replicas.map(({ RegionName }) => RegionName).join(', ')} with eventual ` +
          'consistency: a key that is used in two regions at once executes twice',
      )
    else durability = replicas.length > 0 ? 'all_regions' : 'one_region'
  })
  await look('DescribeTimeToLive', async () => {
    const attribute = await readTtl(db)
    if (attribute !== TTL_ATTRIBUTE)
      faults.push(
        `TTL of table ${db.tableName} is ${attribute === null ? 'off, so it would grow for ever' : `on "${attribute}"`}: ` +
          `enable it on "${TTL_ATTRIBUTE}", as createTable does`,
      )
  })
  if (assumeDurable) return { durability, faults, warnings: doubts }
  const refusals = doubts.map((doubt) => `${doubt}; assumeDurable: true starts nevertheless`)
  return { durability, faults: [...faults, ...refusals], warnings: [] }
}

function findTableFaults(name: string, table: TableDescription): string[] {
  const faults: string[] = []
  if (!hasKeys(table.KeySchema, KEYS))
    faults.push(
      `table ${name} must have the keys pk (partition) and sk (sort), both text: give the store a table of its own, by createTable`,
    )
  if (table.TableStatus !== 'ACTIVE' && table.TableStatus !== 'UPDATING')
    faults.push(`table ${name} is ${table.TableStatus}, not ACTIVE`)
  const index = table.GlobalSecondaryIndexes?.find(({ IndexName }) => IndexName === LIVE_INDEX)
  if (!hasKeys(index?.KeySchema, INDEX_KEYS))
    faults.push(
      `table ${name} must have the index "${LIVE_INDEX}" with the keys live and c, both numbers: without it no stuck key is found`,
    )
  return faults
}

const hasKeys = (schema: KeySchemaElement[] | undefined, wanted: KeySchemaElement[]): boolean =>
  schema?.length === wanted.length &&
  wanted.every((key) =>
    schema.some(
      ({ AttributeName, KeyType }) => AttributeName === key.AttributeName && KeyType === key.KeyType,
    ),
  )

async function describe(db: TableDatabase): Promise<TableDescription> {
  const command = new DescribeTableCommand({ TableName: db.tableName })
  const { output } = await db.send(command, (abortSignal) => db.client.send(command, { abortSignal }))
  return output.Table ?? {}
}

/** The attribute; null = off. */
async function readTtl(db: TableDatabase): Promise<string | null> {
  const command = new DescribeTimeToLiveCommand({ TableName: db.tableName })
  const { output } = await db.send(command, (abortSignal) => db.client.send(command, { abortSignal }))
  const ttl = output.TimeToLiveDescription
  const isOn = ttl?.TimeToLiveStatus === 'ENABLED' || ttl?.TimeToLiveStatus === 'ENABLING'
  return isOn ? (ttl.AttributeName ?? '') : null
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.name : '')

import { readBody } from '@/sdk/stores/dynamodb/body'
import { keyItemOf, LIVE_INDEX, LIVE_SHARDS } from '@/sdk/stores/dynamodb/layout'
import {
  isUnreadable,
  type KeyReading,
  type LeasePage,
  SourceUnavailableError,
  setApart,
  UnreadableKeyError,
} from '../contracts'
import type { Item } from '../dynamodb/client/value'
import { readPartition } from './partition'
import { isDone, isLive, type OwnRow, readAs, toLease, toRecord, toRow } from './rows'
import { ATTRIBUTES, getItem, type OwnTable, placeOf, readTiers } from './store'

/** An index is written a moment after its table: seconds where DynamoDB is in trouble. */
const INDEX_LAG_MS = 60_000
const BATCH = 100
const STALLED_MAX = 3

/**
 * Live keys by the index that the store keeps of them, the oldest first, each then read consistently. What is listed is as
 * of now; what was taken within the last minute may be missing, since an index follows its table.
 */
export async function readLeases(table: OwnTable, limit: number): Promise<LeasePage> {
  const { database, config } = table
  const shards = await Promise.all(
    Array.from({ length: LIVE_SHARDS }, (_, shard) =>
      database.query({
        TableName: config.table,
        IndexName: LIVE_INDEX,
        KeyConditionExpression: 'live = :live',
        ExpressionAttributeValues: { ':live': { N: String(shard) } },
        Limit: limit + 1,
      }),
    ),
  )
  const now = shards[0]?.now ?? new Date(0)
  const found = shards
    .flatMap(({ items }) => items)
    .sort((a, b) => Number(a.c?.N) - Number(b.c?.N))
    .filter(({ pk }) => readPartition(pk?.S ?? '') !== null)
  // A page ends at a megabyte, too.
  const truncated = found.length > limit || shards.some(({ last }) => last !== null)
  const tiers = await readTiers(table)
  const items = await getMany(table, found.slice(0, limit))
  const { read, unreadable } = setApart(items.flatMap((item) => toRow(item) ?? []))
  const live = setApart(read.filter(isLive).map((row) => readAs(row, () => toLease(row, now, tiers))))
  return {
    now,
    leases: live.read.sort((a, b) => a.createdAt.getTime() - b.createdAt.getTime()),
    unreadable: [...unreadable, ...live.unreadable],
    truncated,
    wholeUntil: truncated ? null : new Date(now.getTime() - INDEX_LAG_MS),
  }
}

/** Those that are there, consistently. */
async function getMany({ database, config }: OwnTable, found: readonly Item[]): Promise<Item[]> {
  const items: Item[] = []
  let left = found.map(({ pk, sk }) => placeOf({ pk: pk?.S ?? '', sk: sk?.S ?? '' }))
  for (let stalled = 0; left.length > 0; ) {
    const batch = left.slice(0, BATCH)
    const answer = await database.getMany({ table: config.table, attributes: ATTRIBUTES }, batch)
    items.push(...answer.items)
    // What is left of a batch was not come to: of all of it, where the table throttles.
    stalled = answer.left.length < batch.length ? 0 : stalled + 1
    if (stalled === STALLED_MAX)
      throw new SourceUnavailableError('It throttles: its live keys were not all read', {
        fault: 'overloaded',
        refused: true,
      })
    left = [...answer.left, ...left.slice(BATCH)]
  }
  return items
}

export type RowNow = { now: Date; row: OwnRow | null }

/** The item of a key, consistently. Throws `UnreadableKeyError` where it is there and cannot be understood. */
export async function readNow(table: OwnTable, named: { scope: string; key: string }): Promise<RowNow> {
  const { item, now } = await getItem(table, keyItemOf(named))
  const row = item === null ? null : toRow(item)
  if (row !== null && isUnreadable(row)) throw new UnreadableKeyError({ ...row, ...named }, now)
  return { now, row }
}

/** Throws `UnreadableKeyError` where it cannot be understood. */
export function readNowAs<T extends object>(row: OwnRow, now: Date, read: (row: OwnRow) => T): T {
  const found = readAs(row, read)
  if (isUnreadable(found)) throw new UnreadableKeyError(found, now)
  return found
}

export async function readKey(table: OwnTable, named: { scope: string; key: string }): Promise<KeyReading> {
  const { now, row } = await readNow(table, named)
  if (row === null) return { now, lease: null, record: null }
  // Given back: absent.
  if (!isLive(row) && !isDone(row)) return { now, lease: null, record: null }
  const tiers = await readTiers(table)
  if (isLive(row)) return { now, lease: readNowAs(row, now, () => toLease(row, now, tiers)), record: null }
  const record = readNowAs(row, now, () => toRecord(row, table.config, tiers))
  const { pk, item } = row
  const body = await readBody({ get: async (key) => (await getItem(table, key)).item }, pk, item).catch(
    (error: unknown) => {
      if (error instanceof SourceUnavailableError) throw error
      return readNowAs(row, now, () => {
        throw new RangeError(error instanceof Error ? error.message : String(error), { cause: error })
      })
    },
  )
  return {
    now,
    lease: null,
    record: {
      ...record,
      // Deletion by TTL lags by days: whether it has expired is told by its stamp alone.
      expired: item.expiresMs <= now.getTime(),
      response: {
        status: item.status,
        headers: Object.fromEntries(item.headers),
        body: Buffer.from(body).toString('utf8'),
      },
    },
  }
}

import { type Clock, isWithin, systemClock } from '@/lib/core/clock'
import { KEY_ITEM, LIVE_INDEX } from '@/sdk/stores/dynamodb/layout'
import {
  type IntentSource,
  onlyLookedAt,
  SourceUnavailableError,
  type StoreCapabilities,
  setApart,
} from '../contracts'
import type { DynamoSecret } from '../dynamodb/address'
import { openDatabase, placeholders } from '../dynamodb/client/database'
import { createCapacityBudget } from '../dynamodb/walk/budget'
import { isWhole } from '../dynamodb/walk/look'
import { readRecords, type Walker } from '../dynamodb/walk/read-records'
import { ambientWaiting, type Waiting } from '../stripe/rate-budget'
import { capabilitiesOf, readDurability } from './capabilities'
import type { NativeDynamoConfig } from './config'
import { openHolds } from './holds'
import { end, release } from './operate'
import { readKey, readLeases } from './read'
import { isDone, readAs, toRecord, toRow } from './rows'
import { ATTRIBUTES, type OwnTable, readTiers, type Tiers } from './store'

/** What the table is changes by its owner's hand only. */
const CHECK_EVERY_MS = 300_000

type Rules = { readOnly?: boolean | undefined; clock?: Clock | undefined; waiting?: Waiting }

/** The SDK's own store on DynamoDB. Live keys are read by its index; finished ones by a budgeted walk through the table. */
export function openNativeDynamoSource(
  config: NativeDynamoConfig,
  secret: DynamoSecret,
  { readOnly = false, clock = systemClock, waiting = ambientWaiting }: Rules = {},
): IntentSource {
  const database = openDatabase(secret, config.requestTimeoutMs)
  const table: OwnTable = {
    config,
    database,
    budget: createCapacityBudget(config.scan.unitsPerSecond, waiting),
    clock,
    size: null,
    whole: null,
    tiers: null,
  }
  let durability: StoreCapabilities['durability']
  let checkedMs: number | null = null

  async function storeClock(): Promise<Date> {
    const { now, ...size } = await database.describe(config.table)
    table.size = size
    return now
  }
  /** That it is a table of this layout, and how durable it is. */
  async function check(): Promise<void> {
    const nowMs = clock.now().getTime()
    if (checkedMs !== null && isWithin(CHECK_EVERY_MS, nowMs, checkedMs)) return
    await storeClock()
    if (table.size !== null) requireLayout(config.table, table.size)
    durability = await readDurability(table)
    checkedMs = nowMs
  }
  function mayWrite(): void {
    if (readOnly) throw onlyLookedAt()
  }

  return {
    kind: 'intent',
    get capabilities() {
      return capabilitiesOf(table, durability ?? null)
    },
    responses: config.responses,
    storeClock,
    async readLeases({ limit }) {
      await check()
      return readLeases(table, limit)
    },
    async readRecords(cursor, limit) {
      return readRecords(walkerOf(table, await readTiers(table), storeClock), cursor, limit)
    },
    readKey: (scope, key) => readKey(table, { scope, key }),
    async release(seen, options) {
      mayWrite()
      return release(table, seen, options)
    },
    async complete(seen, options) {
      mayWrite()
      return end(table, seen, options, 'completed')
    },
    async fail(seen, options) {
      mayWrite()
      return end(table, seen, options, 'failed_final')
    },
    async sample() {
      await storeClock()
      const { size, whole } = table
      return [
        {
          tier: 'all',
          rows: BigInt(whole?.look.scanned ?? size?.items ?? 0),
          bytes: BigInt(size?.bytes ?? 0),
          expiredRows: BigInt(whole?.look.expired ?? 0),
          oldestAt: null,
          oldestExpiredAt: null,
        },
      ]
    },
    listPartitions: async () => [],
    collectPartition: async () => ({ kind: 'gone' }),
    holds: openHolds(table),
    async close() {
      database.close()
    },
  }
}

function walkerOf(table: OwnTable, tiers: Tiers, storeClock: () => Promise<Date>): Walker {
  const { config, database, budget, clock } = table
  const { of } = placeholders(ATTRIBUTES)
  return {
    scan: config.scan,
    clock,
    scanner: {
      ...{ database, table: config.table, attributes: ATTRIBUTES, budget },
      filter: () => ({
        expression: `${of('sk')} = :key AND ${of('s')} IN (:completed, :failed)`,
        values: { ':key': { S: KEY_ITEM }, ':completed': { S: 'C' }, ':failed': { S: 'F' } },
      }),
      unitsPerSecond: config.scan.unitsPerSecond,
    },
    subject: JSON.stringify([config.table, 'native']),
    storeClock,
    size: () => table.size,
    take(items, look) {
      const { read, unreadable } = setApart(items.flatMap((item) => toRow(item) ?? []))
      const done = setApart(read.filter(isDone).map((row) => readAs(row, () => toRecord(row, config, tiers))))
      look.expired += done.read.filter(({ expiresAt }) => expiresAt <= look.startedAt).length
      return { items: done.read, unreadable: [...unreadable, ...done.unreadable] }
    },
    begun: () => undefined,
    follow(_before, after) {
      if (isWhole(after)) table.whole = { look: after }
    },
  }
}

function requireLayout(name: string, { partition, sort, indexes }: NonNullable<OwnTable['size']>): void {
  if (partition === 'pk' && sort === 'sk' && indexes.includes(LIVE_INDEX)) return
  throw new SourceUnavailableError(
    `The table ${name} is not one of the SDK’s store: it has no keys pk and sk with an index ${LIVE_INDEX}`,
    { fault: 'schema_changed', refused: true },
  )
}

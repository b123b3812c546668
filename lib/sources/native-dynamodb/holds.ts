import { systemClock } from '@/sdk/clock'
import { openTableDatabase, type TableDatabase } from '@/sdk/stores/dynamodb/database'
import { liftHold, placeHold } from '@/sdk/stores/dynamodb/holds'
import { HOLD_PARTITION, SCOPE_PARTITION } from '@/sdk/stores/dynamodb/layout'
import type { HoldRow } from '@/sdk/stores/hold-keeper'
import type { HoldSource, StoreHold } from '../contracts'
import { unavailable } from '../dynamodb/client/fault'
import type { Item } from '../dynamodb/client/value'
import { holdTargetOf, listedHolds, placedAtTextOf, toSdkTarget } from '../native/hold-list'
import { getItem, type OwnTable, readPartitionItems } from './store'

/** A hold that has ended stays for a week. */
const HOLDS_MAX = 5_000
const SCOPES_MAX = 10_000

/** The table as the SDK sees it, with its own clock of DynamoDB's. */
export const sdkTable = ({ database, config }: OwnTable): TableDatabase =>
  openTableDatabase({
    client: database.client,
    tableName: config.table,
    clock: systemClock,
    operationTimeoutMs: config.requestTimeoutMs,
  })

/** Holds as the SDK keeps them in its table, placed and lifted by its own conditional writes. */
export function openHolds(table: OwnTable): HoldSource {
  const sdk = sdkTable(table)
  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw unavailable(error)
    })
  async function readAll(): Promise<StoreHold[]> {
    const { items, now } = await readPartitionItems(table, HOLD_PARTITION, HOLDS_MAX)
    return items.map((item) => toHold(item, now))
  }
  return {
    list: async (options) => listedHolds(await readAll(), options),
    read: async (id) => (await readAll()).find((hold) => hold.id === id) ?? null,
    async place({ id, target, reason, by, end }) {
      const lastsMs = 'at' in end ? end.at.getTime() - (await storeNow(table, id)) : end.lastsMs
      return (await told(placeHold(sdk, { ...toSdkTarget(target), id, reason, by, lastsMs }))).said
    },
    lift: (id, { reason, by }) => told(liftHold(sdk, id, reason, by)),
    async targets(limit) {
      const { items } = await readPartitionItems(table, SCOPE_PARTITION, SCOPES_MAX)
      const scopes = items.map(({ sk }) => sk?.S ?? '')
      const of = (part: (scope: string, slash: number) => string) =>
        [...new Set(scopes.map((scope) => part(scope, scope.indexOf('/'))))].sort().slice(0, limit)
      return {
        routes: of((scope, slash) => scope.slice(slash + 1)),
        callers: of((scope, slash) => scope.slice(0, slash)),
      }
    },
  }
}

async function storeNow(table: OwnTable, id: string): Promise<number> {
  return (await getItem(table, { pk: HOLD_PARTITION, sk: id })).now.getTime()
}

function toHold(item: Item, now: Date): StoreHold {
  const target = Object.fromEntries(Object.entries(item).map(([name, value]) => [name, value.S]))
  const at = Number(item.at?.N)
  const endsAt = new Date(Number(item.ends?.N))
  const lifted = item.lifted?.N
  return {
    id: item.sk?.S ?? '',
    target: holdTargetOf(item.k?.S as HoldRow['kind'], target),
    reason: item.reason?.S ?? '',
    placedBy: item.by?.S ?? '',
    placedAt: new Date(at),
    placedAtText: placedAtTextOf(`${at}000`),
    endsAt,
    liftedAt: lifted === undefined ? null : new Date(Number(lifted)),
    liftedBy: item.liftedBy?.S ?? null,
    liftReason: item.liftReason?.S ?? null,
    inForce: lifted === undefined && endsAt > now,
  }
}

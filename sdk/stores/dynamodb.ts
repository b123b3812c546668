import type { DynamoDBClient } from '@aws-sdk/client-dynamodb'
import { type Clock, systemClock } from '../clock'
import { IdempotencyOptionsError } from '../errors'
import { acquireKey, lookAtKey } from './dynamodb/acquire'
import { checkStoreTable, createStoreTable, type DynamoHealth } from './dynamodb/check'
import { openTableDatabase } from './dynamodb/database'
import { liftHold, placeHold, readHolds } from './dynamodb/holds'
import { CLOCK_MARGIN_MS, RESPONSE_BYTES_MAX } from './dynamodb/layout'
import { createServerClock } from './dynamodb/server-clock'
import { abandonKey, completeKey, giveBackKey, heartbeatKey } from './dynamodb/settle'
import { beginEffect, saveCheckpoint, settleEffect } from './dynamodb/steps'
import { createScopes, createTiers } from './dynamodb/tiers'
import { createHoldKeeper, HOLDS_TIMEOUT_MS } from './hold-keeper'
import type { HoldPlaced, HoldPlacing } from './hold-placing'
import type { Store } from './store'

export { type DynamoPolicy, type DynamoPolicyOptions, dynamoPolicy } from './dynamodb/policy'

export type DynamoStoreOptions = {
  /** The service's own client; its settings of time and repetition do not matter. */
  client: DynamoDBClient
  /** A table of the store's own. */
  tableName: string
  /** An operation of the store that takes longer is an unavailable store. Default 5 s. */
  operationTimeoutMs?: number
  /**
   * Responses above 256 KiB are stored in parts, items of their own, up to `responseBytesMax`. Default false: they are
   * refused as too large, before the handler's answer is lost to the limit of an item.
   */
  largeResponses?: boolean
  /** Starts although the table could not be checked, or is replicated to other regions. Default false. */
  assumeDurable?: boolean
  clock?: Clock
  /**
   * Is called with the error when holds could not be read; the last known ones stay in force, the next read comes within a
   * second. Default: nothing.
   */
  onHoldError?: (error: unknown) => void
}

export interface DynamoStore extends Store<never> {
  /** Makes the table with its index and TTL, or waits for it; one that is there is left as it is. */
  createTable(): Promise<{ created: boolean }>
  /**
   * Asks what the table is. Throws IdempotencyOptionsError where the store cannot keep its promises on it, and what to do. So
   * does the first operation of the store.
   */
  checkStore(): Promise<DynamoHealth>
  /** As last checked. */
  health(): DynamoHealth
  /** Makes or changes a retention class. Records live for `ttlMs` after completion. */
  registerTier(name: string, ttlMs: number): Promise<void>
  /**
   * Stops new executions of a target; resolves to what became of it, and under which id. It needs the rights of
   * `dynamoPolicy({ for: 'operator' })`, which a service has not.
   */
  placeHold(hold: HoldPlacing): Promise<{ id: string; said: HoldPlaced }>
  liftHold(id: string, reason: string, by: string): Promise<'lifted' | 'ended' | 'unknown'>
  /** Stops the timers. The client is the caller's. */
  close(): void
}

/** One item for each key, changed by conditional writes; `dynamodb/layout.ts` describes it. */
export function createDynamoStore(options: DynamoStoreOptions): DynamoStore {
  const {
    client,
    tableName,
    operationTimeoutMs = 5_000,
    largeResponses = false,
    assumeDurable = false,
  } = options
  const faults: string[] = []
  if (typeof client?.send !== 'function') faults.push('client must be a DynamoDBClient')
  if (!/^[A-Za-z0-9_.:/-]{3,}$/.test(tableName))
    faults.push('tableName must be a name of 3 characters or more')
  if (!(operationTimeoutMs > 0)) faults.push('operationTimeoutMs must be above 0')
  if (faults.length > 0) throw new IdempotencyOptionsError(faults)
  const clock = options.clock ?? systemClock
  const common = { client, tableName, clock, server: createServerClock(clock) }
  const db = openTableDatabase({ ...common, operationTimeoutMs })
  const holdsTimeoutMs = Math.min(operationTimeoutMs, HOLDS_TIMEOUT_MS)
  const holdsDb = openTableDatabase({ ...common, operationTimeoutMs: holdsTimeoutMs })
  const tiers = createTiers(db)
  const scopes = createScopes(db)

  let health: DynamoHealth = { durability: 'unchecked', faults: [], warnings: [] }
  async function checkStore(): Promise<DynamoHealth> {
    health = await checkStoreTable(db, assumeDurable)
    if (health.faults.length > 0) throw new IdempotencyOptionsError(health.faults)
    return health
  }
  let first: Promise<unknown> | null = null
  /** Once: that the table is what it must be, and what time it is there. */
  const ready = (): Promise<unknown> => {
    first ??= checkStore().catch((error: unknown) => {
      first = null
      throw error
    })
    return first
  }
  const readAllHolds = async () => {
    await ready()
    return readHolds(holdsDb)
  }
  const holds = createHoldKeeper(readAllHolds, clock, options.onHoldError ?? (() => {}))

  return {
    system: 'dynamodb',
    capabilities: {
      transactions: false,
      clock: 'client',
      clockMarginMs: CLOCK_MARGIN_MS,
      ...(largeResponses ? {} : { responseBytesMax: RESPONSE_BYTES_MAX }),
    },
    createTable: () => createStoreTable(db, clock),
    checkStore,
    health: () => health,
    attributes: () => ({ 'idempotency.store.durability': health.durability }),
    async registerTier(name, ttlMs) {
      await ready()
      await tiers.register(name, ttlMs)
      // So that not even the first request waits for it.
      await holds.refresh()
    },
    async acquire(request) {
      await ready()
      await tiers.ttlMs(request.tier)
      const [acquired] = await Promise.all([acquireKey(db, request), scopes.note(request.scope)])
      return acquired
    },
    async heartbeat(holder, leaseMs) {
      await ready()
      return heartbeatKey(db, holder, leaseMs)
    },
    async complete(holder, response) {
      await ready()
      return completeKey(db, holder, response, await tiers.ttlMs(holder.tier))
    },
    async giveBack(holder) {
      await ready()
      return giveBackKey(db, holder)
    },
    async abandon(holder) {
      await ready()
      return abandonKey(db, holder)
    },
    async beginEffect(holder, effect) {
      await ready()
      return beginEffect(db, holder, effect)
    },
    async settleEffect(holder, step, end) {
      await ready()
      return settleEffect(db, holder, step, end)
    },
    async checkpoint(holder, name, data) {
      await ready()
      return saveCheckpoint(db, holder, name, data)
    },
    holds: {
      ...holds,
      async look(request) {
        await ready()
        return lookAtKey(db, request)
      },
    },
    placeHold: (hold) => placeHold(db, hold),
    liftHold: (id, reason, by) => liftHold(db, id, reason, by),
    close: holds.close,
  }
}

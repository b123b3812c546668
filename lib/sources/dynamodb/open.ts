import { type Clock, systemClock } from '@/lib/core/clock'
import {
  type IntentSource,
  type OperateOptions,
  onlyLookedAt,
  type SeenLease,
  SourceUnavailableError,
  type StoredResponse,
} from '../contracts'
import { ambientWaiting, type Waiting } from '../stripe/rate-budget'
import type { DynamoSecret } from './address'
import { capabilitiesOf, verbRefusal } from './capabilities'
import { openDatabase } from './client/database'
import { type DynamoConfig, mappingOf } from './config'
import { identityOf } from './item/identity'
import { change, type DynamoVerb } from './operate'
import { readKey } from './read-key'
import { type Store, storeClock } from './store'
import { createCapacityBudget } from './walk/budget'
import { readLeases } from './walk/live'
import { readRecords } from './walk/read-records'
import { walkerOf } from './walk/walker'

export type DynamoRules = { readOnly?: boolean | undefined; clock?: Clock | undefined; waiting?: Waiting }

/** A table that another library writes. */
export function openDynamoSource(
  config: DynamoConfig,
  secret: DynamoSecret,
  { readOnly = false, clock = systemClock, waiting = ambientWaiting }: DynamoRules = {},
): IntentSource {
  const mapping = mappingOf(config)
  const database = openDatabase(secret, config.requestTimeoutMs)
  const store: Store = {
    config,
    mapping,
    identity: identityOf(config, mapping),
    database,
    budget: createCapacityBudget(config.scan.unitsPerSecond, waiting),
    clock,
    size: null,
    live: new Map(),
    odd: new Map(),
    overfull: false,
    walking: null,
    looking: null,
    whole: null,
  }

  const walker = walkerOf(store)

  async function operate(
    verb: DynamoVerb,
    seen: SeenLease,
    options: OperateOptions & { response?: StoredResponse },
  ) {
    if (readOnly) throw onlyLookedAt()
    const reason = verbRefusal(mapping, verb)
    if (reason !== null) throw new SourceUnavailableError(reason, { fault: 'permission', refused: true })
    return change(store, verb, seen, options)
  }

  return {
    kind: 'intent',
    get capabilities() {
      const { size, whole, live } = store
      return capabilitiesOf(config, mapping, { size, whole, live: live.size })
    },
    responses: config.responses,
    storeClock: () => storeClock(store),
    readLeases: ({ limit }) => readLeases(store, limit),
    readRecords: (cursor, limit) => readRecords(walker, cursor, limit),
    readKey: (scope, key) => readKey(store, scope, key),
    release: (seen, options) => operate('release', seen, options),
    complete: (seen, options) => operate('complete', seen, options),
    fail: (seen, options) => operate('fail', seen, options),
    async sample() {
      await storeClock(store)
      const { size, whole } = store
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
    async close() {
      database.close()
    },
  }
}

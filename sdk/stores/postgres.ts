import type { Pool, PoolClient } from 'pg'
import { type Clock, systemClock } from '../clock'
import { IdempotencyOptionsError } from '../errors'
import { createHoldKeeper, HOLDS_TIMEOUT_MS } from './hold-keeper'
import { acquireLease, lookAtKey } from './postgres/acquire'
import { openStoreDatabase } from './postgres/database'
import { readHolds } from './postgres/holds'
import { migrateStore } from './postgres/migrate'
import { acquireAndBegin, settleAndComplete } from './postgres/one-effect'
import { createPartitionKeeper, type PartitionKeeper } from './postgres/partitions'
import { abandonLease, completeLease, giveBackLease, heartbeatLease } from './postgres/settle'
import { beginEffect, saveCheckpoint, settleEffect } from './postgres/steps'
import { requireOpen, runTransaction, transactionOf } from './postgres/transaction'
import { codeOf } from './postgres/unavailable'
import type { Store } from './store'

export type PostgresStoreOptions = {
  /** The service's own pool: completion can then commit with the service's own work. */
  pool: Pool
  /** Where the idem_ tables live. Default `public`. */
  schema?: string
  /** A statement of the store that takes longer is an unavailable store. Default 5 s. */
  operationTimeoutMs?: number
  /**
   * Prepares the store's statements once a connection. Default true; false behind a pooler that shares connections by
   * transaction and does not keep prepared statements (PgBouncer before 1.21).
   */
  prepare?: boolean
  clock?: Clock
  /** Is called with the error when partitions could not be made ahead; the next check tries again. Default: nothing. */
  onPartitionError?: (error: unknown) => void
  /**
   * Is called with the error when holds could not be read; the last known ones stay in force, the next read comes within a
   * second. Default: nothing.
   */
  onHoldError?: (error: unknown) => void
}

export interface PostgresStore extends Store<PoolClient> {
  /**
   * Brings the tables to this version; safe for many processes at once and beside requests. Behind a transaction that holds
   * a table it gives way and tries again for `waitMs` (default 60 s); then it throws and names that transaction.
   */
  migrate(options?: { waitMs?: number }): Promise<{ applied: string[] }>
  /** Makes or changes a retention class and its partitions. Records live for `ttlMs` after completion. */
  registerTier(name: string, ttlMs: number): Promise<void>
  ensurePartitions(tier: string): Promise<void>
  /** Stops the timers. The pool is the caller's. */
  close(): void
}

const MIGRATION_WAIT_MS = 60_000

/** The native store: `idem_lease` for live keys, `idem_record` for what is done. */
export function createPostgresStore(options: PostgresStoreOptions): PostgresStore {
  const schema = options.schema ?? 'public'
  const operationTimeoutMs = options.operationTimeoutMs ?? 5_000
  if (schema === '' || !(operationTimeoutMs > 0)) {
    throw new IdempotencyOptionsError(['schema must be a name and operationTimeoutMs above 0'])
  }
  const prepare = options.prepare ?? true
  const db = openStoreDatabase(options.pool, schema, operationTimeoutMs, prepare)
  const clock = options.clock ?? systemClock
  const partitions = createPartitionKeeper(db, clock, options.onPartitionError ?? (() => {}))
  const holdsTimeoutMs = Math.min(operationTimeoutMs, HOLDS_TIMEOUT_MS)
  const holdsDb = openStoreDatabase(options.pool, schema, holdsTimeoutMs, prepare)
  const holds = createHoldKeeper(() => readHolds(holdsDb), clock, options.onHoldError ?? (() => {}))

  return {
    system: 'postgresql',
    capabilities: { transactions: true, clock: 'engine' },
    migrate: ({ waitMs = MIGRATION_WAIT_MS } = {}) =>
      migrateStore({ pool: options.pool, schema, clock, waitMs }),
    async registerTier(name, ttlMs) {
      await partitions.registerTier(name, ttlMs)
      // So that not even the first request waits for it.
      await holds.refresh()
    },
    ensurePartitions: partitions.ensure,
    acquire: async (request) => acquireLease(db, clock, request, await partitions.tierId(request.tier)),
    oneEffect: {
      acquire: async (request, effect) =>
        acquireAndBegin(db, clock, request, await partitions.tierId(request.tier), effect),
      complete: (holder, response, step, end) =>
        covered(partitions, holder.tier, () => settleAndComplete(db, holder, response, step, end)),
    },
    heartbeat: (holder, leaseMs) => heartbeatLease(db, holder, leaseMs),
    complete: (holder, response) =>
      covered(partitions, holder.tier, () => completeLease(db, holder, response)),
    giveBack: (holder) => giveBackLease(db, holder),
    abandon: (holder) => abandonLease(db, holder),
    beginEffect: (holder, effect) => beginEffect(db, holder, effect),
    settleEffect: (holder, step, end) => settleEffect(db, holder, step, end),
    checkpoint: (holder, name, data) => saveCheckpoint(db, holder, name, data),
    async transaction(holder, work) {
      if (holder !== null) await partitions.cover(holder.tier)
      // Completed, the key has no lease: one that beats says that the completion is lost.
      const isUndone = async () => holder !== null && (await heartbeatLease(db, holder, 1))
      await runTransaction({ pool: options.pool, clock, operationTimeoutMs, isUndone }, async (tx) => {
        const end = await work(tx)
        // The completion of a key looks at it by itself.
        if (holder === null && end === 'commit') await requireOpen(transactionOf(tx))
        return end
      })
    },
    async completeWithin(tx, holder, response) {
      const transaction = transactionOf(tx)
      await partitions.coverWithin(holder.tier, transaction)
      return completeLease(db, holder, response, transaction)
    },
    holds: { ...holds, look: (request) => lookAtKey(db, request) },
    close() {
      partitions.close()
      holds.close()
    },
  }
}

// 23514 = "no partition of relation found for row".
const NO_PARTITION = '23514'

async function covered<T>(partitions: PartitionKeeper, tier: string, complete: () => Promise<T>): Promise<T> {
  await partitions.cover(tier)
  try {
    return await complete()
  } catch (error) {
    if (codeOf(error) !== NO_PARTITION) throw error
    // The store's clock jumped past the partitions that were made ahead.
    await partitions.ensure(tier)
    return complete()
  }
}

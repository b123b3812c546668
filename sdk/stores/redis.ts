import { type Clock, systemClock } from '../clock'
import { IdempotencyOptionsError } from '../errors'
import { createHoldKeeper, HOLDS_TIMEOUT_MS } from './hold-keeper'
import type { HoldPlaced, HoldPlacing } from './hold-placing'
import { acquireLease, lookAtKey } from './redis/acquire'
import { openPort, type RedisClient } from './redis/client'
import { liftHold, placeHold, readHolds } from './redis/holds'
import { createRunner } from './redis/script'
import { abandonLease, completeLease, giveBackLease, heartbeatLease } from './redis/settle'
import { createStartChecks, type RedisHealth } from './redis/start-checks'
import { beginEffect, saveCheckpoint, settleEffect } from './redis/steps'
import { createSeenScopes, createTiers } from './redis/tiers'
import type { Store } from './store'

export type { RedisAclOptions } from './redis/acl'
export { redisAcl } from './redis/acl'

export type RedisStoreOptions = {
  /** The service's own client of ioredis or node-redis, connected: single, Sentinel or Cluster. */
  client: RedisClient
  /** A call of the store that takes longer, whatever the client waits, is an unavailable store. Default 2 s. */
  operationTimeoutMs?: number
  /**
   * You know that the server evicts no live keys and persists, although it does not tell (a managed service that refuses
   * INFO). Telemetry and health then say `not_verified`. Default false: such a server is refused.
   */
  assumeDurable?: boolean
  clock?: Clock
  /**
   * Is called with the error when holds could not be read; the last known ones stay in force, the next read comes within a
   * second. Default: nothing.
   */
  onHoldError?: (error: unknown) => void
}

export interface RedisStore extends Store<never> {
  /** Makes or changes a retention class. Records live for `ttlMs` after completion. Throws what `checkStore` throws. */
  registerTier(name: string, ttlMs: number): Promise<void>
  /**
   * Asks every primary how it evicts and persists. Throws IdempotencyOptionsError where that breaks the store's promises,
   * and what to do; what only weakens them is among the warnings.
   */
  checkStore(): Promise<RedisHealth>
  /** As last checked: at the first request, and again every 5 s, after a failover too. */
  health(): RedisHealth
  /** Stops new executions of a target; resolves to what became of it, and under which id. */
  placeHold(hold: HoldPlacing): Promise<{ id: string; said: HoldPlaced }>
  liftHold(id: string, reason: string, by: string): Promise<'lifted' | 'ended' | 'unknown'>
  /** Stops the timers. The client is the caller's. */
  close(): void
}

/**
 * One execution for each key while no failover loses acknowledged writes: Redis acknowledges before its replicas and its
 * disk have heard (docs/decisions/061-redis-layout-and-promises.md). No transaction with the application's own work.
 */
export function createRedisStore(options: RedisStoreOptions): RedisStore {
  const operationTimeoutMs = options.operationTimeoutMs ?? 2_000
  const port = openPort(options.client)
  const faults = [
    port === null ? ['client must be a client of ioredis or node-redis'] : [],
    operationTimeoutMs > 0 ? [] : ['operationTimeoutMs must be above 0'],
  ].flat()
  if (port === null || faults.length > 0) throw new IdempotencyOptionsError(faults)
  const clock = options.clock ?? systemClock
  const run = createRunner(port, clock, operationTimeoutMs)
  const runHolds = createRunner(port, clock, Math.min(operationTimeoutMs, HOLDS_TIMEOUT_MS))
  const checks = createStartChecks(port, run, clock, options.assumeDurable ?? false)
  const tiers = createTiers(run)
  const noteScope = createSeenScopes(run)
  const holds = createHoldKeeper(() => readHolds(runHolds), clock, options.onHoldError ?? (() => {}))

  async function checkStore(): Promise<RedisHealth> {
    const health = await checks.check()
    if (health.faults.length > 0) throw new IdempotencyOptionsError(health.faults)
    return health
  }

  return {
    system: 'redis',
    capabilities: { transactions: false, clock: 'engine' },
    attributes: () => ({ 'idempotency.store.durability': checks.health().durability }),
    async registerTier(name, ttlMs) {
      await checkStore()
      await tiers.register(name, ttlMs)
      // So that not even the first request waits for it.
      await holds.refresh()
    },
    checkStore,
    health: checks.health,
    async acquire(request) {
      await checks.demandFit()
      const ttlMs = await tiers.ttlMs(request.tier)
      const [acquired] = await Promise.all([acquireLease(run, request, ttlMs), noteScope(request.scope)])
      return acquired
    },
    heartbeat: (holder, leaseMs) => heartbeatLease(run, holder, leaseMs),
    complete: (holder, response) => completeLease(run, holder, response),
    giveBack: (holder) => giveBackLease(run, holder),
    abandon: (holder) => abandonLease(run, holder),
    beginEffect: (holder, effect) => beginEffect(run, holder, effect),
    settleEffect: (holder, step, end) => settleEffect(run, holder, step, end),
    checkpoint: (holder, name, data) => saveCheckpoint(run, holder, name, data),
    holds: { ...holds, look: (request) => lookAtKey(run, request) },
    placeHold: (hold) => placeHold(run, hold),
    liftHold: (id, reason, by) => liftHold(run, id, reason, by),
    close() {
      checks.close()
      holds.close()
    },
  }
}

import type { Pool } from 'pg'
import { type Clock, systemClock } from '../clock'
import { IdempotencyOptionsError } from '../errors'
import { defaultOwner } from '../run/options'
import type { Publisher } from './publisher'
import type { HorizonHolder } from './statements'

export type RelayOptions = {
  /** The database of the outbox; two connections are used, one of them for LISTEN. */
  pool: Pool
  publisher: Publisher
  /** Where the idem_ tables live. Default `public`. */
  schema?: string
  /** Messages of one round. Default 500. */
  batch?: number
  /** Of the 32 lanes, how many a round takes: fewer leave more to other relays. Default 8. */
  lanesMax?: number
  /** After this a relay that has died, or is stopped, loses its messages to another. Default 60 s. */
  leaseMs?: number
  /** A call to the broker is aborted after this; at most half of the lease. Default 15 s. */
  publishTimeoutMs?: number
  /** A message that was refused so often is dead. Default 10. */
  attemptsMax?: number
  /** Bounds of the waiting after a failure, with full jitter. Default 1 s and 5 min. */
  backoffBaseMs?: number
  backoffMaxMs?: number
  /** How often an idle relay looks by itself. Default 500 ms. */
  pollMs?: number
  /** Whether to be woken by LISTEN/NOTIFY; not behind a pooler that shares connections. Default true. */
  listen?: boolean
  /** How long sent messages are kept: whole days (UTC). Default 7 days. */
  retentionMs?: number
  /** From when on `onHeldBack` hears that an open transaction keeps messages from being read. Default 5 s. */
  heldBackMs?: number
  /** Hears of what failed: the relay goes on by itself. Default: nothing. */
  onError?: (error: unknown) => void
  /** Hears who holds messages back; null = nobody any more. Default: nothing. */
  onHeldBack?: (holder: HorizonHolder | null) => void
  owner?: string
  clock?: Clock
  /** 0 ≤ x < 1. */
  random?: () => number
}

export type RelaySettings = Required<RelayOptions>

const DAY_MS = 86_400_000

/** Fills in the defaults. Throws IdempotencyOptionsError with every fault. */
export function resolveRelayOptions(options: RelayOptions): RelaySettings {
  const leaseMs = options.leaseMs ?? 60_000
  const settings: RelaySettings = {
    schema: 'public',
    batch: 500,
    lanesMax: 8,
    publishTimeoutMs: Math.min(15_000, Math.floor(leaseMs / 2)),
    attemptsMax: 10,
    backoffBaseMs: 1_000,
    backoffMaxMs: 300_000,
    pollMs: 500,
    listen: true,
    retentionMs: 7 * DAY_MS,
    heldBackMs: 5_000,
    onError: () => {},
    onHeldBack: () => {},
    owner: defaultOwner(),
    clock: systemClock,
    random: Math.random,
    ...options,
    leaseMs,
  }
  const faults: string[] = []
  const check = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  const between = (name: keyof RelaySettings, min: number, max: number) => {
    const value = settings[name]
    const holds = typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
    check(holds, `${name} must be a whole number from ${min} to ${max}`)
  }
  check(typeof settings.pool?.query === 'function', 'pool must be a pg pool')
  check(typeof settings.publisher?.publish === 'function', 'publisher must be a publisher')
  check(settings.schema !== '', 'schema must be a name')
  check(/^[\x20-\x7e]{1,200}$/.test(settings.owner), 'owner must be 1 to 200 visible characters')
  between('batch', 1, 10_000)
  between('lanesMax', 1, 32)
  between('leaseMs', 200, DAY_MS)
  between('publishTimeoutMs', 1, Math.floor(leaseMs / 2))
  between('attemptsMax', 1, 1_000)
  between('backoffBaseMs', 1, DAY_MS)
  between('backoffMaxMs', settings.backoffBaseMs, DAY_MS)
  between('pollMs', 1, DAY_MS)
  between('retentionMs', 0, 3_650 * DAY_MS)
  between('heldBackMs', 0, DAY_MS)
  if (faults.length > 0) throw new IdempotencyOptionsError(faults)
  return settings
}

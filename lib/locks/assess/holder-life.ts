import type { KeyState } from '@/lib/core/states'
import type { LeaseRow } from '@/lib/sources/contracts'
import type { KeySettings } from '../settings'

/** A lease as it was read, and what is needed to tell time by it. Both are on the store's clock. */
export type LeaseReading = {
  lease: LeaseRow
  storeNow: Date
  /** Since when the console has found it exactly as it is; null = this is the first look. */
  unchangedSince: Date | null
}

export type HolderLife =
  /** Nobody holds it: it was let go. */
  | { kind: 'none' }
  | { kind: 'alive' }
  /** Its lease has passed a moment ago. */
  | { kind: 'grace' }
  /**
   * Its stamps lie in the future (`aheadMs`), or are of a client's clock (0), and its holder has not been silent for the length
   * of its lease yet.
   */
  | { kind: 'watched'; aheadMs: number; leftMs: number }
  /** `aheadMs`: its stamps lie in the future, and nothing renewed it for the length of its lease. 0 = its lease passed. */
  | { kind: 'dead'; aheadMs: number }

type Times = Pick<KeySettings, 'graceMs' | 'skewMs'>

/** By how much the stamps of a lease lie ahead of the store's clock, beyond what clocks may differ; 0 = they do not. */
export function aheadMs({ lease, storeNow }: Pick<LeaseReading, 'lease' | 'storeNow'>, times: Times): number {
  const ahead = latestStamp(lease) - storeNow.getTime()
  return ahead > times.skewMs ? ahead : 0
}

/**
 * Whether somebody works on the key. A heartbeat in the future was stamped by an engine whose clock was ahead (before a
 * failover, as a rule), so the lease's end means nothing. How long the lease was does, since both stamps are of one
 * clock: a holder that lives renews it within that time, which changes the stamps.
 */
export function holderLife({ lease, storeNow, unchangedSince }: LeaseReading, times: Times): HolderLife {
  if (lease.state !== 'leased') return { kind: 'none' }
  const now = storeNow.getTime()
  const passed = lease.leaseUntil.getTime() + times.graceMs <= now
  if (passed && lease.clientClock !== true) return { kind: 'dead', aheadMs: 0 }
  const ahead = lease.leaseless === true ? 0 : aheadMs({ lease, storeNow }, times)
  if (ahead === 0 && !passed) return { kind: lease.leaseUntil.getTime() <= now ? 'grace' : 'alive' }
  const lastsMs = Math.max(0, lease.leaseUntil.getTime() - latestStamp(lease)) + times.graceMs
  const silentMs = unchangedSince === null ? 0 : now - unchangedSince.getTime()
  return silentMs >= lastsMs && unchangedSince !== null
    ? { kind: 'dead', aheadMs: ahead }
    : { kind: 'watched', aheadMs: ahead, leftMs: Math.max(0, lastsMs - Math.max(0, silentMs)) }
}

/** The state of a live key, by the lease's end alone. */
export const leaseState = (lease: LeaseRow, storeNow: Date): KeyState =>
  lease.state !== 'leased' ? lease.state : lease.leaseUntil <= storeNow ? 'lease_expired' : 'leased'

const latestStamp = ({ createdAt, heartbeatAt }: LeaseRow): number =>
  Math.max(createdAt.getTime(), heartbeatAt.getTime())

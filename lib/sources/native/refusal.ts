import type { KeyReading, OperateOptions, SeenLease, StoreOutcome, StoreRefusal } from '../contracts'

/** Nothing was changed: says why, from the key as it is now; the most telling difference first. */
export function refusalOf(
  seen: SeenLease,
  { graceMs, aheadMs }: OperateOptions,
  { now, lease }: Pick<KeyReading, 'now' | 'lease'>,
): StoreOutcome {
  const refused = (reason: StoreRefusal): StoreOutcome => ({ kind: 'refused', reason, now, current: lease })
  if (lease === null || lease.seen.createdAt !== seen.createdAt) return refused('gone')
  if (lease.seen.fence !== seen.fence) return refused('fence_changed')
  const renewed = lease.seen.heartbeatAt !== seen.heartbeatAt
  const holds = lease.leaseUntil.getTime() + graceMs > now.getTime()
  if (lease.state === 'leased' && holds && (renewed || aheadMs === undefined)) return refused('holder_alive')
  return refused(lease.seen.steps === seen.steps ? 'state_changed' : 'steps_changed')
}

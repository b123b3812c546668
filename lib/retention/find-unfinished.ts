import type { IntentSource } from '@/lib/sources/contracts'
import { readAllLeases } from '@/lib/sources/read-all-leases'
import type { OpenSource } from '@/lib/sources/registry'

/** What a collection looks at; a store with more live keys is in trouble of another kind. */
const LEASES_READ_MAX = 5_000

export type Unfinished = { source: string; scope: string; key: string; state: string; createdAt: string }

/** Live keys older than their tier keeps finished ones: they are never collected, and somebody has to decide. */
export async function findUnfinished(store: OpenSource<IntentSource>): Promise<Unfinished[]> {
  const { leases } = await readAllLeases(store.source, LEASES_READ_MAX)
  return leases
    .filter((lease) => lease.overdue && (lease.state !== 'leased' || lease.expired))
    .map((lease) => ({
      source: store.id,
      scope: lease.scope,
      key: lease.key,
      state: lease.state,
      createdAt: lease.createdAt.toISOString(),
    }))
}

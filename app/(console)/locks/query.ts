import { createLoader, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { given } from '@/lib/core/given'
import type { LockFilter } from '@/lib/core/lock-filter'
import { LOCK_GROUP_NAMES, LOCK_GROUPS } from '@/lib/locks/count-locks'

export const loadQuery = createLoader({
  view: parseAsStringLiteral(LOCK_GROUP_NAMES).withDefault('stuck'),
  endpoint: parseAsString,
  client: parseAsString,
  cursor: parseAsString,
  /** The lock that is open beside the table. */
  lock: parseAsString,
})
export type Query = Awaited<ReturnType<typeof loadQuery>>

export const toFilter = ({ view, endpoint, client }: Query): LockFilter => ({
  state: LOCK_GROUPS[view],
  ...given({ endpoint, client }),
})

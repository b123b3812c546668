import { createLoader, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { given } from '@/lib/core/given'
import type { LockFilter } from '@/lib/core/lock-filter'
import type { KeyState } from '@/lib/core/states'

export const VIEWS = ['stuck', 'held', 'unknown', 'retryable'] as const
export type View = (typeof VIEWS)[number]

/** What each view lists. Stuck = nobody works on it any more: its lease passed, or its end is unknown. */
export const VIEW_STATES: Record<View, readonly KeyState[]> = {
  stuck: ['lease_expired', 'unknown'],
  held: ['leased'],
  unknown: ['unknown'],
  retryable: ['retryable'],
}

export const VIEW_LABEL: Record<View, string> = {
  stuck: 'Stuck',
  held: 'Held',
  unknown: 'Unknown',
  retryable: 'Retryable',
}

export const loadQuery = createLoader({
  view: parseAsStringLiteral(VIEWS).withDefault('stuck'),
  endpoint: parseAsString,
  client: parseAsString,
  cursor: parseAsString,
  /** The lock that is open beside the table. */
  lock: parseAsString,
})
export type Query = Awaited<ReturnType<typeof loadQuery>>

export const toFilter = ({
  view,
  endpoint,
  client,
}: Pick<Query, 'view' | 'endpoint' | 'client'>): LockFilter => ({
  state: VIEW_STATES[view],
  ...given({ endpoint, client }),
})

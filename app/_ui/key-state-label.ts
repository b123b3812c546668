import type { KeyState } from '@/lib/core/states'

/** What a state is called, where only a word fits. */
export const KEY_STATE_LABEL: Record<KeyState, string> = {
  leased: 'Held',
  lease_expired: 'Lease expired',
  retryable: 'Retryable',
  unknown: 'Unknown',
  completed: 'Completed',
  failed_final: 'Failed',
  expired: 'Expired',
}

/** The same of a state that a store or an old run names; one that we do not know stays as it is. */
export const keyStateText = (state: string): string => KEY_STATE_LABEL[state as KeyState] ?? state

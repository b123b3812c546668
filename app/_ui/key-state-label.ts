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

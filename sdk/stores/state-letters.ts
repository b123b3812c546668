import type { RecordState, Step } from './store'

/** What every layout writes for the state of a key. */
export const STATES = {
  L: 'leased',
  R: 'retryable',
  U: 'unknown',
  C: 'completed',
  F: 'failed_final',
} as const satisfies Record<string, RecordState>

/** And of a step. */
export const STEP_STATES = {
  B: 'begun',
  C: 'committed',
  F: 'failed',
  U: 'unknown',
} as const satisfies Record<string, Step['state']>

/** State machines as tables: the console, the verbs and the tests all read these. */

export const KEY_STATES = [
  'leased',
  'lease_expired',
  'retryable',
  'unknown',
  'completed',
  'failed_final',
  'expired',
] as const
export type KeyState = (typeof KEY_STATES)[number]

/** What an operator may do to a key in each state; evidence is checked on top. */
export const KEY_ACTIONS = {
  leased: [],
  lease_expired: ['release', 'complete', 'fail'],
  retryable: ['complete', 'fail'],
  unknown: ['release', 'complete', 'fail'],
  completed: [],
  failed_final: [],
  expired: [],
} as const satisfies Record<KeyState, readonly KeyAction[]>
export type KeyAction = 'release' | 'complete' | 'fail'

export const keyAllows = (state: KeyState, action: KeyAction): boolean =>
  (KEY_ACTIONS[state] as readonly KeyAction[]).includes(action)

/** What the evidence says of a lock: what may be done, safely, now. */
export const LOCK_VERDICTS = ['wait', 'release', 'complete', 'investigate'] as const
export type LockVerdict = (typeof LOCK_VERDICTS)[number]

export const ACTION_STATES = {
  proposed: ['approved', 'rejected', 'expired'],
  approved: ['executing', 'refused', 'expired'],
  executing: ['done', 'refused', 'failed', 'unknown'],
  unknown: ['done', 'failed'],
  done: [],
  refused: [],
  failed: [],
  rejected: [],
  expired: [],
} as const satisfies Record<string, readonly string[]>
export type ActionState = keyof typeof ACTION_STATES

export const ACTION_KINDS = [
  'release',
  'complete',
  'fail',
  'refund',
  'book_ledger',
  'book_refund',
  'book_dispute',
  'book_fee',
  'reverse_ledger',
  'adopt',
  'refresh',
  'ignore',
] as const
export type ActionKind = (typeof ACTION_KINDS)[number]

/** Two people agree on it as on a correction, but it changes only how the console itself works. */
export const POLICY_ACTION_KIND = 'retention_policy'

/** The same of what reconciliation tolerates. */
export const RULES_ACTION_KIND = 'reconciliation_rules'

/** The same of what fires, and whom it wakes. */
export const TERMS_ACTION_KIND = 'condition_terms'

/** The same of what a person may do. */
export const ROLE_ACTION_KIND = 'role_raise'

/** What is held and lifted in a store: one person, at once. */
export const HOLD_ACTION_KINDS = ['hold', 'lift_hold'] as const

/** What is done with a dead message: one person. */
export const MESSAGE_ACTION_KINDS = ['redrive', 'discard'] as const
export type MessageVerb = (typeof MESSAGE_ACTION_KINDS)[number]

/** Every kind that an action's row may have. */
export const ALL_ACTION_KINDS = [
  ...ACTION_KINDS,
  POLICY_ACTION_KIND,
  RULES_ACTION_KIND,
  TERMS_ACTION_KIND,
  ROLE_ACTION_KIND,
  ...HOLD_ACTION_KINDS,
  ...MESSAGE_ACTION_KINDS,
] as const

export const RUN_KINDS = [
  'reconciliation',
  'staging',
  'roll_up',
  'effect_detection',
  'lock_check',
  'collection',
  'partitions',
  'bulk',
  'sealing',
  'conditions',
  'notification',
  'message_check',
] as const
export type RunKind = (typeof RUN_KINDS)[number]

export const RUN_STATES = {
  queued: ['running', 'cancelled'],
  running: ['done', 'failed', 'cancelled'],
  done: [],
  failed: [],
  cancelled: [],
} as const satisfies Record<string, readonly string[]>
export type RunState = keyof typeof RUN_STATES

export const RECONCILIATION_VERDICTS = [
  'reconciled',
  'with_pending',
  'with_warnings',
  'breaks',
  'incomplete',
] as const
export type ReconciliationVerdict = (typeof RECONCILIATION_VERDICTS)[number]

export const CASE_OUTCOMES = ['pending', 'break'] as const
export type CaseOutcome = (typeof CASE_OUTCOMES)[number]
export const CASE_LIFECYCLES = ['new', 'persisting', 'resolved', 'reopened'] as const
export type CaseLifecycle = (typeof CASE_LIFECYCLES)[number]
export const CASE_TRIAGES = ['open', 'acknowledged', 'assigned', 'snoozed'] as const
export type CaseTriage = (typeof CASE_TRIAGES)[number]

import type { ActionKind } from './states'

export type Severity = 'P1' | 'P2' | 'P3' | 'warn'
export type Aspect =
  | 'quarantine'
  | 'uniqueness'
  | 'existence'
  | 'ledger'
  | 'value'
  | 'refund'
  | 'dispute'
  | 'usage'
  | 'retention'

type CaseClassEntry = {
  aspect: Aspect
  severity: Severity
  /** What a person is told, in a heading. */
  title: string
  /** Corrections that a person may propose for it. */
  fixes: readonly ActionKind[]
}

/** Every class a case can have. Within an aspect the first that matches, in this order, wins. */
export const CASE_CLASSES = {
  mode_mix: {
    aspect: 'quarantine',
    severity: 'P1',
    title: 'Test object in a live environment',
    fixes: ['ignore'],
  },
  unclassified: {
    aspect: 'quarantine',
    severity: 'warn',
    title: 'Cannot be read or classified',
    fixes: ['ignore'],
  },

  expired_key_retry: {
    aspect: 'uniqueness',
    severity: 'P1',
    title: 'Charged again after the key expired',
    fixes: ['refund', 'ignore'],
  },
  duplicate_same_key: {
    aspect: 'uniqueness',
    severity: 'P1',
    title: 'Charged twice on one key',
    fixes: ['refund', 'ignore'],
  },
  duplicate_semantic: {
    aspect: 'uniqueness',
    severity: 'P2',
    title: 'Charged twice for one reference',
    fixes: ['refund', 'ignore'],
  },

  stuck_effect_done: {
    aspect: 'existence',
    severity: 'P1',
    title: 'Charged, but the key never finished',
    fixes: ['complete', 'ignore'],
  },
  stuck_unknown: {
    aspect: 'existence',
    severity: 'P1',
    title: 'Stuck, and the provider cannot be asked',
    fixes: ['ignore'],
  },
  stuck_no_effect: {
    aspect: 'existence',
    severity: 'P2',
    title: 'Stuck without an effect',
    fixes: ['release', 'ignore'],
  },
  failed_but_charged: {
    aspect: 'existence',
    severity: 'P1',
    title: 'Told it failed, but charged',
    fixes: ['refund', 'ignore'],
  },
  reversed_after_post: {
    aspect: 'existence',
    severity: 'P1',
    title: 'Provider failed it after booking',
    fixes: ['reverse_ledger', 'ignore'],
  },
  phantom_ledger: {
    aspect: 'existence',
    severity: 'P1',
    title: 'Booked, but never charged',
    fixes: ['reverse_ledger', 'ignore'],
  },
  done_but_no_effect: {
    aspect: 'existence',
    severity: 'P1',
    title: 'Told it succeeded, but not charged',
    fixes: ['ignore'],
  },
  orphan_effect: {
    aspect: 'existence',
    severity: 'P1',
    title: 'Charged without any record',
    fixes: ['adopt', 'refund', 'ignore'],
  },
  ledger_missing: {
    aspect: 'existence',
    severity: 'P2',
    title: 'Charged, but not booked',
    fixes: ['book_ledger', 'ignore'],
  },
  status_lag: {
    aspect: 'existence',
    severity: 'P3',
    title: 'One side is behind',
    fixes: ['refresh', 'ignore'],
  },

  duplicate_ledger: {
    aspect: 'ledger',
    severity: 'P1',
    title: 'Booked twice',
    fixes: ['reverse_ledger', 'ignore'],
  },

  currency_mismatch: {
    aspect: 'value',
    severity: 'P1',
    title: 'Booked in another currency',
    fixes: ['ignore'],
  },
  amount_mismatch: {
    aspect: 'value',
    severity: 'P2',
    title: 'Booked with another amount',
    fixes: ['ignore'],
  },
  partial_capture: {
    aspect: 'value',
    severity: 'P3',
    title: 'Captured less than authorised',
    fixes: ['ignore'],
  },
  fee_variance: {
    aspect: 'value',
    severity: 'P3',
    title: 'Fee differs',
    fixes: ['reverse_ledger', 'book_fee', 'ignore'],
  },

  over_refund: { aspect: 'refund', severity: 'P1', title: 'Refunded more than captured', fixes: ['ignore'] },
  refund_failed: {
    aspect: 'refund',
    severity: 'P1',
    title: 'Refund failed at the provider',
    fixes: ['refund', 'reverse_ledger', 'ignore'],
  },
  refund_unsent: {
    aspect: 'refund',
    severity: 'P1',
    title: 'Refund booked, never sent',
    fixes: ['refund', 'reverse_ledger', 'ignore'],
  },
  refund_unbooked: {
    aspect: 'refund',
    severity: 'P2',
    title: 'Refunded, but not booked',
    fixes: ['book_refund', 'reverse_ledger', 'ignore'],
  },

  dispute_unbooked: {
    aspect: 'dispute',
    severity: 'P2',
    title: 'Dispute not booked',
    fixes: ['book_dispute', 'ignore'],
  },

  key_reuse_mismatch: {
    aspect: 'usage',
    severity: 'P3',
    title: 'Key used again with another body',
    fixes: ['ignore'],
  },

  reaped_unfinished: {
    aspect: 'retention',
    severity: 'P1',
    title: 'Unfinished past its retention',
    fixes: ['ignore'],
  },
} as const satisfies Record<string, CaseClassEntry>

export type CaseClass = keyof typeof CASE_CLASSES
export const CASE_CLASS_NAMES = Object.keys(CASE_CLASSES) as [CaseClass, ...CaseClass[]]
export const caseClass = (name: CaseClass): CaseClassEntry => CASE_CLASSES[name]

const isCaseClass = (name: string): name is CaseClass => Object.hasOwn(CASE_CLASSES, name)

/** Of a class that may be a newer version's: null then. */
export const findCaseClass = (name: string): CaseClassEntry | null =>
  isCaseClass(name) ? CASE_CLASSES[name] : null

/** Its title; a class that is not known is shown as it is named. */
export const caseTitle = (name: string): string => findCaseClass(name)?.title ?? name

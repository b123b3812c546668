import type { Aspect, CaseClass, Severity } from '@/lib/core/case-classes'
import type { Money } from '@/lib/core/money'
import type { CaseOutcome } from '@/lib/core/states'
import type { TimeRange } from '@/lib/sources/contracts'
import type { EndedReading } from '@/lib/sources/manage/end-reading'
import type { Rule } from '../rules/rules'
import type { Side, SideState } from '../stage/stage'

/** What is asked by id before anything is called missing. */
export type LookUp =
  | { kind: 'charge' | 'refund' | 'dispute'; id: string }
  /** The sessions and invoices that a payment intent belongs to: they may know whose a charge is. */
  | { kind: 'payments'; id: string }
  | { kind: 'ledger'; ref: string }
  | { kind: 'key'; scope: string; key: string }

export const lookUpKey = (lookUp: LookUp): string =>
  lookUp.kind === 'key'
    ? `key:${lookUp.scope}\u001f${lookUp.key}`
    : lookUp.kind === 'ledger'
      ? `ledger:${lookUp.ref}`
      : `${lookUp.kind}:${lookUp.id}`

export type Subject = {
  scope: string | null
  key: string | null
  effectIds: string[]
  reference: string | null
}

export type Finding = {
  aspect: Aspect
  /** With the operation and the aspect it is the identity; the class is no part of it. */
  objectId: string
  class: CaseClass
  severity: Severity
  outcome: CaseOutcome
  /** When it became, or becomes, a break. */
  breakOn: Date
  subject: Subject
  amount: Money | null
  /** Facts that last: no time of looking. Its hash is what an approval is bound to. */
  evidence: Record<string, unknown>
}

/** Under which circumstances the staged objects are classified. */
export type ClassifyContext = {
  /** Everything that was visible by then is staged. */
  asOf: Date
  breakOnMs: number
  leaseGraceMs: number
  clockSkewMs: number
  settleDelayMs: number
  callMs: number
  sides: Record<Side, SideState>
  /** Readings that are no more: a side is not whole for what began before. */
  ended?: readonly EndedReading[]
  /** What may differ, and for how long; the first rule that fits counts. */
  rules: readonly Rule[]
  /** The provider's newest contiguous complete listing. */
  coverage: TimeRange | null
  /** Whether a provider knows this kind of id. What cannot be looked up is not absent. */
  canLookUp: (id: string) => boolean
  /** What was asked by id in this run (`lookUpKey`). */
  lookedUp: ReadonlySet<string>
}

/** A finding before it is weighed: what it rests on, and since when. */
export type Draft = Omit<Finding, 'outcome' | 'breakOn' | 'severity' | 'aspect'> & {
  aspect: Aspect
  /** Pending until this + breakOnMs; null = positive evidence, a break at once. */
  since: Date | null
  /**
   * It rests on the provider having nothing: the last moment at which that can have been begun. It is no break before the
   * longest call from then has ended and shows, whatever the rules tolerate.
   */
  absentSince?: Date
  /** Absences that have to be confirmed by id before it is a break. */
  lookUps?: readonly LookUp[]
  /** What it rests on is not complete yet: pending, whatever the time. */
  waiting?: boolean
}

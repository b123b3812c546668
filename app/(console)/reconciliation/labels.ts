import type { BadgeTone } from '@/app/_ui/badge'
import type {
  ActionKind,
  ActionState,
  CaseLifecycle,
  CaseTriage,
  ReconciliationVerdict,
  RunState,
} from '@/lib/core/states'
import type { Standing } from '@/lib/core/verdict'
import type { SystemResult } from '@/lib/reconcile/report/run-results'

// A state without words breaks the build.

export const LIFECYCLE: Record<CaseLifecycle, string> = {
  new: 'new',
  persisting: 'persisting',
  resolved: 'resolved',
  reopened: 'reopened',
}

export const TRIAGE: Record<CaseTriage, string> = {
  open: 'unreviewed',
  acknowledged: 'acknowledged',
  assigned: 'assigned',
  snoozed: 'snoozed',
}

const VERDICT: Record<ReconciliationVerdict, { standing: Standing; text: string }> = {
  reconciled: { standing: 'ok', text: 'Reconciled: every side says the same.' },
  with_pending: { standing: 'ok', text: 'Reconciled but for what is still on its way.' },
  with_warnings: { standing: 'warn', text: 'Reconciled, with warnings.' },
  breaks: { standing: 'bad', text: 'The sides do not agree.' },
  incomplete: { standing: 'stale', text: 'Incomplete: a source could not be read, so this proves nothing.' },
}

const isVerdict = (outcome: string | null): outcome is ReconciliationVerdict =>
  outcome !== null && outcome in VERDICT

export const INCOMPLETE = VERDICT.incomplete

/** What a run says; one that compared nothing proves nothing, and is never green. Null = it says nothing. */
export function verdictOf(
  outcome: string | null,
  results: readonly Pick<SystemResult, 'compared' | 'nothingCompared'>[],
): { standing: Standing; text: string } | null {
  if (!isVerdict(outcome)) return null
  if (results.length === 0)
    return { standing: 'unknown', text: 'Nothing was compared: no source is connected.' }
  const reason = results.map(({ nothingCompared }) => nothingCompared).find((each) => each !== null)
  if (outcome === 'incomplete' && reason !== undefined)
    return { standing: 'stale', text: `Incomplete: ${reason}.` }
  if (outcome === 'reconciled' && results.every(({ compared }) => compared === 0))
    return { standing: 'unknown', text: 'Nothing is new since the last run: there was nothing to compare.' }
  return VERDICT[outcome]
}

export const RUN_STATE: Record<RunState, { standing: Standing; text: string }> = {
  queued: { standing: 'unknown', text: 'waiting for a worker' },
  running: { standing: 'unknown', text: 'running' },
  done: { standing: 'ok', text: 'done' },
  failed: { standing: 'bad', text: 'failed' },
  cancelled: { standing: 'stale', text: 'cancelled' },
}

export const ACTION_STATE: Record<ActionState, { text: string; tone: BadgeTone }> = {
  proposed: { text: 'Waiting for approval', tone: 'warn' },
  approved: { text: 'Approved', tone: 'accent' },
  executing: { text: 'Executing', tone: 'accent' },
  unknown: { text: 'Outcome unknown, being read back', tone: 'warn' },
  done: { text: 'Done', tone: 'ok' },
  refused: { text: 'Refused, nothing was done', tone: 'bad' },
  failed: { text: 'Failed', tone: 'bad' },
  rejected: { text: 'Rejected', tone: 'plain' },
  expired: { text: 'Approval expired', tone: 'plain' },
}

type FixWords = {
  /** What the button says. */
  verb: string
  noun: string
  /** What happens, and to whom. */
  consequence: string
}

const BOOKS = 'One posting is added to the ledger, unique on the provider’s id. A second person approves.'

export const FIX: Record<ActionKind, FixWords> = {
  refund: {
    verb: 'Refund',
    noun: 'refund',
    consequence: 'Money goes back to the customer. It moves only after a second person approves.',
  },
  book_ledger: {
    verb: 'Book the charge',
    noun: 'booking of the charge',
    consequence: BOOKS,
  },
  book_refund: {
    verb: 'Book the refund',
    noun: 'booking of the refund',
    consequence: BOOKS,
  },
  book_dispute: {
    verb: 'Book the dispute',
    noun: 'booking of the dispute',
    consequence: BOOKS,
  },
  book_fee: {
    verb: 'Book the fee',
    noun: 'booking of the fee',
    consequence: BOOKS,
  },
  reverse_ledger: {
    verb: 'Reverse the posting',
    noun: 'reversal of the posting',
    consequence: 'The ledger gets a reversal; nothing is deleted. A second person approves.',
  },
  adopt: {
    verb: 'Adopt the charge',
    noun: 'adoption of the charge',
    consequence: 'The charge is kept and booked in the ledger. A second person approves.',
  },
  release: {
    verb: 'Release the key',
    noun: 'release of the key',
    consequence: 'Done at once: the caller’s next retry executes the operation again.',
  },
  complete: {
    verb: 'Complete with the provider’s charge',
    noun: 'completion of the key',
    consequence: 'Done at once: the caller’s next retry gets the recovered response; nothing runs again.',
  },
  fail: {
    verb: 'Fail the key',
    noun: 'final failure of the key',
    consequence: 'The caller’s retries get a final error; nothing runs again. A second person approves.',
  },
  refresh: {
    verb: 'Ask the sources again',
    noun: 'fresh look at the sources',
    consequence:
      'Done at once: every object is read again by its id. The case closes if all sides agree now.',
  },
  ignore: {
    verb: 'Close without a change',
    noun: 'closing without a change',
    consequence:
      'Nothing is changed anywhere. The case is closed, its evidence kept; other evidence reopens it.',
  },
}

/** What moves neither money nor books is done at once; all else waits for a second person. */
const AT_ONCE: readonly ActionKind[] = ['release', 'complete', 'refresh', 'ignore']

export const needsSecondPerson = (kind: ActionKind): boolean => !AT_ONCE.includes(kind)

/** Proposals that are no correction, such as a retention policy, are named as they are. */
export const fixVerb = (kind: string): string =>
  kind in FIX ? FIX[kind as ActionKind].verb : kind.replaceAll('_', ' ')

import type { ActionKind } from '@/lib/core/states'
import { FOUR_EYES_KINDS } from './execute/plan'

type CorrectionLabels = {
  /** What the button says. */
  verb: string
  noun: string
  /** What happens, and to whom. */
  consequence: string
}

/** What is missing in the ledger is booked there. */
const booking = (what: string): CorrectionLabels => ({
  verb: `Book the ${what}`,
  noun: `booking of the ${what}`,
  consequence: 'One posting is added to the ledger, unique on the provider’s id. A second person approves.',
})

/** A kind without words breaks the build. */
export const FIX: Record<ActionKind, CorrectionLabels> = {
  refund: {
    verb: 'Refund',
    noun: 'refund',
    consequence: 'Money goes back to the customer. It moves only after a second person approves.',
  },
  book_ledger: booking('charge'),
  book_refund: booking('refund'),
  book_dispute: booking('dispute'),
  book_fee: booking('fee'),
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

const FOUR_EYES: readonly ActionKind[] = [...FOUR_EYES_KINDS, 'fail']

/** What moves money or books, or ends a key, waits for a second person; all else is done at once. */
export const needsSecondPerson = (kind: ActionKind): boolean => FOUR_EYES.includes(kind)

/** Proposals that are no correction, such as a retention policy, are named as they are. */
export const fixVerb = (kind: string): string =>
  kind in FIX ? FIX[kind as ActionKind].verb : kind.replaceAll('_', ' ')

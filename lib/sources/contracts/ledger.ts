import type { Writable } from 'node:stream'
import type { TimeRange } from './pages'

export type LedgerRow = {
  entryId: string
  /** `other` = a kind the mapping does not know: counted, never dropped. */
  kind: 'charge' | 'refund' | 'fee' | 'dispute' | 'other'
  rawKind: string
  providerRef: string | null
  chargeRef: string | null
  reference: string | null
  /** null = it has none that can be read: see `unreadable`. */
  amountMinor: bigint | null
  currency: string | null
  bookedAt: Date
  reversedAt: Date | null
  correctionId: string | null
  /** Why it cannot be understood: its kind is then `other`. */
  unreadable?: string
}

export type LedgerPage = {
  items: LedgerRow[]
  cursor: string
  more: boolean
  /** Why this is not all that there is, in words: what is not read proves nothing absent. */
  unread?: string
}

export type LedgerCorrection = {
  actionId: string
  kind: 'book_charge' | 'book_refund' | 'book_dispute' | 'book_fee' | 'reverse'
  /** Of `reverse`: the one posting that is meant. */
  entryId: string | null
  providerRef: string
  /** The charge that it belongs to: of a booked charge, itself. */
  chargeRef: string | null
  paymentIntent: string | null
  reference: string | null
  amountMinor: bigint
  currency: string
}

/** The kind of posting that a correction makes. */
export const BOOKED_AS = {
  book_charge: 'charge',
  book_refund: 'refund',
  book_dispute: 'dispute',
  book_fee: 'fee',
} as const satisfies Record<Exclude<LedgerCorrection['kind'], 'reverse'>, LedgerRow['kind']>

/** Called when the rows are about to come: an error of a stream that nobody reads or writes ends the process. */
export type OpenSink = () => Promise<Writable>

export interface LedgerSource {
  readonly kind: 'ledger'
  readonly canCorrect: boolean
  /** The kinds of posting that its mapping tells apart. */
  readonly postingKinds: readonly LedgerRow['kind'][]
  /** Whether its mapping says what is reversed: a reversal would never be seen otherwise. */
  readonly showsReversals: boolean
  /** The ledger's clock. */
  storeClock(): Promise<Date>
  /**
   * Rows in order of booking since `cursor`, those that committed behind a younger one included, and where entry ids are
   * numbers that grow, those that were booked long before they were inserted. Rows without a booking time come with the
   * first page of each pass, beyond `limit`.
   */
  readRows(cursor: string | null, limit: number): Promise<LedgerPage>
  /** Of rows that were read by id: those that the feed at this cursor has passed, and comes by no more. */
  passedRows(cursor: string, rows: readonly LedgerRow[]): Promise<LedgerRow[]>
  /** From the first booking to now on the ledger's clock, and about how many rows that is; null = it is empty. */
  bounds(): Promise<(TimeRange & { rows: number }) | null>
  /** The rows booked in a range, streamed as COPY text in the columns that the mirror's bulk load takes. */
  copyRows(range: TimeRange, openSink: OpenSink): Promise<void>
  /** What `readRows` would answer within a pass, streamed as `copyRows` does. */
  copyPage(
    cursor: string | null,
    limit: number,
    openSink: OpenSink,
  ): Promise<{ cursor: string; more: boolean }>
  /** A cursor of `readRows` that goes on from now: taken before the ledger is read in ranges, it continues those. */
  cursorNow(): Promise<string>
  /** Every row of these provider references: what is looked up before it is called missing. */
  readByProviderRefs(refs: readonly string[]): Promise<LedgerRow[]>
  /** Rows by the id of their entry: those that could not be understood, when they may have been mended. */
  readByEntryIds(ids: readonly string[]): Promise<LedgerRow[]>
  /** Idempotent by `actionId`. A lost connection throws: the caller settles it by `readCorrection`. */
  correct(correction: LedgerCorrection): Promise<{ applied: boolean; entryId: string | null }>
  /**
   * The row that a correction made: by the action's id or, where the mapping has no column for that, by what it books,
   * which is booked once. null = it was not applied.
   */
  readCorrection(
    correction: Pick<LedgerCorrection, 'actionId' | 'providerRef'> & { kind: keyof typeof BOOKED_AS },
  ): Promise<LedgerRow | null>
  close(): Promise<void>
}

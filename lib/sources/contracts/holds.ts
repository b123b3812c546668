import type { HoldTarget } from '@/lib/core/hold-target'

/** A hold as the store keeps it. */
export type StoreHold = {
  id: string
  target: HoldTarget
  reason: string
  placedBy: string
  placedAt: Date
  /** With its microseconds: names its place in the list. */
  placedAtText: string
  endsAt: Date
  liftedAt: Date | null
  liftedBy: string | null
  liftReason: string | null
  /** On the store's clock, when it was read. */
  inForce: boolean
}

export type HoldTerms = {
  id: string
  target: HoldTarget
  reason: string
  by: string
  /** When it ends, or how long it lasts on the store's clock. */
  end: { at: Date } | { lastsMs: number }
}

export const HOLD_REFUSALS = [
  'past',
  'too_long',
  'unknown_route',
  'unknown_caller',
  'unknown_scope',
  'too_many',
  'id_used',
] as const
export type HoldRefusal = (typeof HOLD_REFUSALS)[number]

export type HoldList = {
  /** null = both. */
  inForce: boolean | null
  /** The last one of the page before. */
  after: { placedAtText: string; id: string } | null
  limit: number
}

/**
 * Holds live in the service's own store. Every call throws AppError `unprocessable` when the store has no holds yet, or the
 * console's role there may not use them: the message says what to do.
 */
export interface HoldSource {
  /** The newest first. */
  list(options: HoldList): Promise<StoreHold[]>
  read(id: string): Promise<StoreHold | null>
  /** The same one twice under its id is placed once. */
  place(terms: HoldTerms): Promise<'placed' | HoldRefusal>
  /** `ended` = it had ended, or was lifted before. */
  lift(id: string, terms: { reason: string; by: string }): Promise<'lifted' | 'ended' | 'unknown'>
  /** What there is to hold: routes and callers that the store has seen, at most `limit` of each. */
  targets(limit: number): Promise<{ routes: string[]; callers: string[] }>
}

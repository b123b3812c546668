import { createLoader, parseAsString, parseAsStringLiteral } from 'nuqs/server'
import { HOLD_KINDS } from '@/lib/core/hold-target'

// What a link asks to be held, and which page of the ended ones is looked at.

const parsers = {
  /** The dialog is open, with this and what else is named. */
  place: parseAsStringLiteral(HOLD_KINDS),
  source: parseAsString,
  route: parseAsString,
  caller: parseAsString,
  step: parseAsString,
  scope: parseAsString,
  key: parseAsString,
  cursor: parseAsString,
}
export const loadHolds = createLoader(parsers)

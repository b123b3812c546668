import { createLoader, parseAsInteger, parseAsString, parseAsStringLiteral } from 'nuqs/server'

export const KINDS = ['duplicate', 'orphan'] as const

export const loadQuery = createLoader({
  kind: parseAsStringLiteral(KINDS).withDefault('duplicate'),
  /** The cause whose effects are listed. */
  cause: parseAsString,
  /** How many the point of the chart counted from which one came. */
  counted: parseAsInteger,
})

import {
  createLoader,
  createSerializer,
  parseAsBoolean,
  parseAsString,
  parseAsStringLiteral,
} from 'nuqs/server'
import { CASE_CLASS_NAMES } from '@/lib/core/case-classes'
import { given } from '@/lib/core/given'
import type { CaseFilter } from '@/lib/reconcile/cases/cases'
import { CASE_AGE_BOUNDS_MS } from '@/lib/reconcile/cases/count-cases'

// Which cases are looked at, in the URL.

export const SHOWN = ['open', 'snoozed', 'resolved', 'all'] as const
export type Shown = (typeof SHOWN)[number]
export const SEVERITIES = ['P1', 'P2', 'P3', 'warn'] as const
/** Age buckets, youngest first; as many as the bounds and one more. */
export const AGES = ['15m', '1h', '1d', 'older'] as const
export const AGE_LABEL: Record<(typeof AGES)[number], string> = {
  '15m': '< 15 min',
  '1h': '< 1 h',
  '1d': '< 1 d',
  older: 'older',
}

export const caseParsers = {
  show: parseAsStringLiteral(SHOWN).withDefault('open'),
  class: parseAsStringLiteral(CASE_CLASS_NAMES),
  severity: parseAsStringLiteral(SEVERITIES),
  age: parseAsStringLiteral(AGES),
  cursor: parseAsString,
}
export const loadCases = createLoader(caseParsers)
export const writeCases = createSerializer(caseParsers)
/** A link led here to start a run, perhaps about an order or a key. */
export const loadStart = createLoader({
  start: parseAsBoolean.withDefault(false),
  reference: parseAsString.withDefault(''),
  scope: parseAsString.withDefault(''),
  key: parseAsString.withDefault(''),
})
export type StartQuery = Awaited<ReturnType<typeof loadStart>>

export type CaseQuery = Awaited<ReturnType<typeof loadCases>>

const OPEN = ['new', 'persisting', 'reopened'] as const
const BY_SHOWN: Record<Shown, CaseFilter> = {
  open: { lifecycle: OPEN, triage: ['open', 'acknowledged', 'assigned'] },
  snoozed: { lifecycle: OPEN, triage: ['snoozed'] },
  resolved: { lifecycle: ['resolved'] },
  all: {},
}

export function filterOf({ show, class: name, severity, age }: CaseQuery, now: Date): CaseFilter {
  const place = age === null ? -1 : AGES.indexOf(age)
  const bound = (index: number): Date | undefined => {
    const ms = CASE_AGE_BOUNDS_MS[index]
    return ms === undefined ? undefined : new Date(now.getTime() - ms)
  }
  return {
    ...BY_SHOWN[show],
    ...given({ class: name && [name], severity: severity && [severity] }),
    ...(age === null ? {} : { seenFrom: bound(place), seenBefore: bound(place - 1) }),
  }
}

export const isFiltered = ({ class: name, severity, age }: CaseQuery): boolean =>
  name !== null || severity !== null || age !== null

import { createLoader, parseAsStringLiteral } from 'nuqs/server'

/** Whole days (UTC), today included. The range of the bar is for looking at what goes on; this page looks back. */
export const PERIODS = {
  month: { label: '30 days', days: 30 },
  quarter: { label: '90 days', days: 90 },
  year: { label: '365 days', days: 365 },
} as const
export type Period = keyof typeof PERIODS
export const PERIOD_NAMES = Object.keys(PERIODS) as Period[]

export const loadQuery = createLoader({ period: parseAsStringLiteral(PERIOD_NAMES).withDefault('month') })

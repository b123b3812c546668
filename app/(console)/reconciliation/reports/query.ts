import { createLoader, parseAsString } from 'nuqs/server'
import { z } from 'zod'

export const loadReport = createLoader({ day: parseAsString })

const daySchema = z.iso.date()

export const dayOf = (at: Date): string => at.toISOString().slice(0, 10)

/** The day that is asked for, UTC; today where none is, or none that exists. */
export const askedDay = (day: string | null, now: Date): string => {
  const parsed = daySchema.safeParse(day)
  return parsed.success ? parsed.data : dayOf(now)
}

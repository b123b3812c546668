import { z } from 'zod'
import { pageSchema } from '@/lib/core/pages'
import { invalid } from './validate'

/** What requests bring, in parts that several routes share. */

export const pageQuery = pageSchema.shape

/** `a` or `a,b`: any of these. */
export const anyOf = <T extends string>(values: readonly T[]) =>
  z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(z.enum(values, `one of ${values.join(', ')}, several with commas`)))
    .describe(`Any of ${values.join(', ')}; several with commas`)

export const flag = z.enum(['true', 'false'], 'true or false').transform((text) => text === 'true')

export const text = z.string().min(1).max(500)

export const instant = z.iso
  .datetime({ offset: true, error: 'a time like 2026-11-22T10:00:00Z' })
  .transform((value) => new Date(value))

export const idParam = z.strictObject({ id: z.string().min(1).max(2_000) })

const HOUR_MS = 3_600_000
const WINDOW_MS_MAX = 366 * 24 * HOUR_MS

export const windowQuery = {
  from: instant.optional().describe('Default: one hour before `to`. Rounded down to a minute'),
  to: instant.optional().describe('Default: now. Rounded up to a minute; not included'),
  service: text.optional(),
  endpoint: text.optional().describe('e.g. `POST /v1/payments`'),
  client: text.optional().describe('The caller part of the scope'),
}

type AskedWindow = {
  from?: Date | undefined
  to?: Date | undefined
  service?: string | undefined
  endpoint?: string | undefined
  client?: string | undefined
}

/** Fills in the last hour. Throws `invalid` when the window is empty or longer than a year. */
export function windowOf(asked: AskedWindow, now: Date) {
  const to = asked.to ?? now
  const from = asked.from ?? new Date(to.getTime() - HOUR_MS)
  const fault = (message: string) => invalid([{ in: 'query', name: 'from', message }])
  if (from >= to) throw fault('must be before to')
  if (to.getTime() - from.getTime() > WINDOW_MS_MAX) throw fault('must be at most 366 days before to')
  return { ...asked, from, to }
}

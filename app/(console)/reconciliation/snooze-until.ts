import { z } from 'zod'
import { fromField } from '@/app/_ui/format-time'
import { AppError } from '@/lib/core/errors'

const hours = z.coerce.number('choose for how long').int().min(1).max(720)
const HOUR_MS = 3_600_000

/** What the fields of a snooze say: a moment that was named goes before a number of hours. */
export function snoozeUntil(fields: Record<string, string>, now: Date): Date {
  const named = fields.until ?? ''
  if (named === '') return new Date(now.getTime() + hours.parse(fields.hours) * HOUR_MS)
  const until = fromField(named, 'utc')
  if (until === null) throw new AppError('invalid', 'That is no moment.')
  return until
}

import { z } from 'zod'

const clockTime = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'a time like 22:00')

const isZone = (zone: string): boolean => {
  try {
    return new Intl.DateTimeFormat('en-US', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    return false
  }
}

/** Sunday is 0, as in JavaScript. */
export const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const dayOf = (name: string): number => (DAYS as readonly string[]).indexOf(name)

/** Hours in which a route holds back what is no page. What it held is told when they end. */
export const quietSchema = z
  .strictObject({
    from: clockTime,
    to: clockTime.describe('At or before `from` = on the next day'),
    zone: z.string().max(60).refine(isZone, 'an IANA time zone like Europe/Berlin'),
    days: z.array(z.enum(DAYS)).max(7).default([]).describe('Days on which they begin; none = every day'),
    holdsPages: z.boolean().default(false).describe('Pages are held back as well'),
  })
  .refine(({ from, to }) => from !== to, 'from and to are the same time')
export type Quiet = z.output<typeof quietSchema>

/** Whether it is quiet now, by the wall clock of its zone: a change to summer time moves it along. */
export function isQuiet({ from, to, zone, days }: Quiet, now: Date): boolean {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).formatToParts(now)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? ''
  const time = `${part('hour')}:${part('minute')}`
  const today = dayOf(part('weekday'))
  const begins = (day: number) => days.length === 0 || days.includes(DAYS[(day + 7) % 7] ?? 'Sun')
  if (from < to) return begins(today) && time >= from && time < to
  return (begins(today) && time >= from) || (begins(today - 1) && time < to)
}

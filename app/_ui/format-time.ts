import type { Zone } from './time-range'

/** `utc` is the same everywhere; `local` is the browser's zone, known there only. */
const zoneName = (zone: Zone): { timeZone?: string } => (zone === 'utc' ? { timeZone: 'UTC' } : {})

const formats = new Map<string, Intl.DateTimeFormat>()

function format(zone: Zone, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = `${zone} ${JSON.stringify(options)}`
  const known = formats.get(key)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-GB', { hourCycle: 'h23', ...options, ...zoneName(zone) })
  formats.set(key, made)
  return made
}

const HOURS: Intl.DateTimeFormatOptions = { hour: '2-digit', minute: '2-digit' }
const SECONDS: Intl.DateTimeFormatOptions = { ...HOURS, second: '2-digit' }
const DAY: Intl.DateTimeFormatOptions = { day: 'numeric', month: 'short' }

/** 02:42 */
export const clockText = (at: Date, zone: Zone): string => format(zone, HOURS).format(at)
/** 02:42:07 */
export const secondsText = (at: Date, zone: Zone): string => format(zone, SECONDS).format(at)
/** 22 Nov */
export const dayText = (at: Date, zone: Zone): string => format(zone, DAY).format(at)
/** 22 Nov, 02:42 */
export const dayClockText = (at: Date, zone: Zone): string => format(zone, { ...DAY, ...HOURS }).format(at)

/** UTC, or the browser's zone as it names itself: CET, GMT+2. */
export function zoneText(at: Date, zone: Zone): string {
  if (zone === 'utc') return 'UTC'
  const parts = format(zone, { ...HOURS, timeZoneName: 'short' }).formatToParts(at)
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? 'local'
}

/** 2026-11-22 02:42:07 UTC */
export function fullText(at: Date, zone: Zone): string {
  const parts = format(zone, { year: 'numeric', month: '2-digit', day: '2-digit' }).formatToParts(at)
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.find((each) => each.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')} ${secondsText(at, zone)} ${zoneText(at, zone)}`
}

export const sameDay = (left: Date, right: Date, zone: Zone): boolean =>
  dayText(left, zone) === dayText(right, zone)

/** 22 Nov, 02:00 – 03:00 UTC; a day that is `today` goes without saying. */
export function rangeText(range: { from: Date; to: Date }, zone: Zone, today?: Date): string {
  const { from, to } = range
  const known = (at: Date, day: Date | undefined) => day !== undefined && sameDay(at, day, zone)
  const text = (at: Date) => (known(at, today) ? clockText(at, zone) : dayClockText(at, zone))
  return `${text(from)} – ${known(to, from) ? clockText(to, zone) : text(to)} ${zoneText(to, zone)}`
}

/** What a `datetime-local` field holds for this moment in this zone, to the minute. */
export function toField(at: Date, zone: Zone): string {
  const shifted = zone === 'utc' ? at : new Date(at.getTime() - at.getTimezoneOffset() * 60_000)
  return shifted.toISOString().slice(0, 16)
}

/** The moment that a `datetime-local` field names in this zone; null when it is empty or not a time. */
export function fromField(value: string, zone: Zone): Date | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(value)) return null
  const at = new Date(zone === 'utc' ? `${value}Z` : value)
  return Number.isNaN(at.getTime()) ? null : at
}

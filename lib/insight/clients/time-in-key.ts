/** How fine the time is that a key holds (a minute or finer): a retry after it has moved on gets another key. */
export const KEY_TIMES = ['minute', 'hour', 'day'] as const
export type KeyTime = (typeof KEY_TIMES)[number]

const HOUR_MS = 3_600_000
/** The time in a key is that of its request, in whatever zone: else it is a number that looks like a time. */
const NEAR_MS = 38 * HOUR_MS

/** Their digits mean nothing, or were drawn once, before the first attempt. */
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

const DATE = '(?<year>20\\d\\d)[-_/.]?(?<month>0[1-9]|1[0-2])[-_/.]?(?<day>0[1-9]|[12]\\d|3[01])'
const HOUR = '(?<hour>[01]\\d|2[0-3])'
const ZONE = '(?:Z|[+-]\\d\\d:?\\d\\d)?'
/** Not within a longer word or number. */
const alone = (pattern: string) => new RegExp(`(?<![0-9A-Za-z])${pattern}(?![0-9A-Za-z])`)

/** The finest first. Digits behind a dash are an hour or a number of something, never a minute. */
const DATES: readonly { form: RegExp; time: KeyTime }[] = [
  { form: alone(`${DATE}[T _-]${HOUR}:[0-5]\\d(?::[0-5]\\d(?:\\.\\d+)?)?${ZONE}`), time: 'minute' },
  { form: alone(`${DATE}T?${HOUR}[0-5]\\d(?:[0-5]\\d(?:\\.?\\d+)?)?${ZONE}`), time: 'minute' },
  { form: alone(`${DATE}[T _-]?${HOUR}Z?`), time: 'hour' },
  { form: alone(DATE), time: 'day' },
]
/** Seconds since 1970, or thousandths, millionths or billionths of one. */
const EPOCH = alone('(?<seconds>[12]\\d{9})(?:\\d{3}){0,3}')

/**
 * Whether a key holds the time at which it was first sent, and how fine; null = it does not. `at`: when its store first
 * had it. Pure.
 */
export function timeInKey(key: string, at: Date): KeyTime | null {
  if (UUID.test(key)) return null
  const isNear = (ms: number) => Math.abs(ms - at.getTime()) <= NEAR_MS
  const seconds = EPOCH.exec(key)?.groups?.seconds
  if (seconds !== undefined && isNear(Number(seconds) * 1000)) return 'minute'
  for (const { form, time } of DATES) {
    const found = form.exec(key)?.groups
    if (found !== undefined && isNear(noonOf(found))) return time
  }
  return null
}

const noonOf = ({ year, month, day }: Record<string, string | undefined>): number =>
  Date.UTC(Number(year), Number(month) - 1, Number(day), 12)

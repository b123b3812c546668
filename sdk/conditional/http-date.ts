const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const IMF =
  /^[A-Z][a-z]{2}, (?<day>\d{2}) (?<month>[A-Z][a-z]{2}) (?<year>\d{4}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/
const RFC_850 =
  /^[A-Z][a-z]+, (?<day>\d{2})-(?<month>[A-Z][a-z]{2})-(?<year>\d{2}) (?<time>\d{2}:\d{2}:\d{2}) GMT$/
const ASCTIME =
  /^[A-Z][a-z]{2} (?<month>[A-Z][a-z]{2}) (?<day>[ \d]\d) (?<time>\d{2}:\d{2}:\d{2}) (?<year>\d{4})$/

/** An HTTP-date (RFC 9110, 5.6.7) in its three forms, in ms; null = none of them. */
export function parseHttpDate(header: string | null, nowMs: number): number | null {
  if (header === null) return null
  const fields = (IMF.exec(header) ?? RFC_850.exec(header) ?? ASCTIME.exec(header))?.groups
  if (fields === undefined) return null
  const month = MONTHS.indexOf(fields.month ?? '')
  const [hour = 0, minute = 0, second = 0] = (fields.time ?? '').split(':').map(Number)
  const isValid = month >= 0 && Number(fields.day) <= 31 && hour < 24 && minute < 60 && second <= 60
  if (!isValid) return null
  const year = Number(fields.year)
  return Date.UTC(
    fields.year?.length === 2 ? fullYear(year, nowMs) : year,
    month,
    Number(fields.day),
    hour,
    minute,
    second,
  )
}

/** Two digits that seem to be more than 50 years ahead are the last past year that ends so. */
function fullYear(year: number, nowMs: number): number {
  const thisYear = new Date(nowMs).getUTCFullYear()
  const inCentury = thisYear - (thisYear % 100) + year
  return inCentury > thisYear + 50 ? inCentury - 100 : inCentury
}

/** Microseconds since 1970, which is what timestamptz keeps: exact as numbers until the year 2255. */
export type Micros = number

export const microsOfNs = (ns: bigint): Micros => Number(ns / 1000n)
/** Years beyond 9999 are as good as never. */
export const microsOf = (date: Date): Micros =>
  date.getTime() < Date.UTC(10_000, 0) ? date.getTime() * 1000 : Number.POSITIVE_INFINITY

/** The start of its minute, in ms since 1970. */
export const minuteOf = (us: Micros): number => Math.floor(us / 60_000_000) * 60_000

/** As PostgreSQL reads a timestamptz. */
export function textOfMicros(us: Micros): string {
  if (us === Number.POSITIVE_INFINITY) return 'infinity'
  const second = Math.floor(us / 1_000_000)
  const text = new Date(second * 1000).toISOString().slice(0, -5)
  return `${text}.${String(us - second * 1_000_000).padStart(6, '0')}Z`
}

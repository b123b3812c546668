/** A count that may be beyond 2^53 and is then a decimal string. */
type Count = number | string | bigint

const GROUPED = new Intl.NumberFormat('en-US')

/** 6,612 */
export const countText = (count: Count): string => GROUPED.format(count as number)

/** 12.4, 0.21, 0.0042: enough digits to tell a small rate from none, never more than its size deserves. */
export function percentText(ratio: number): string {
  const percent = ratio * 100
  if (percent === 0) return '0.00'
  if (percent >= 10) return percent.toFixed(1)
  if (percent >= 0.01) return percent.toFixed(2)
  return percent.toLocaleString('en-US', { maximumSignificantDigits: 2 })
}

/** A target reads shorter than a figure: 0.01, 0.1, 2. */
export const targetPercentText = (ratio: number): string =>
  (ratio * 100).toLocaleString('en-US', { maximumSignificantDigits: 3 })

/** 84 ms, 1.34 s, 12.1 s */
export function latencyParts(ms: number): { value: string; unit: 'ms' | 's' } {
  if (ms < 1) return { value: ms.toFixed(2), unit: 'ms' }
  if (ms < 1000) return { value: ms.toFixed(ms < 10 ? 1 : 0), unit: 'ms' }
  return { value: (ms / 1000).toFixed(ms < 10_000 ? 2 : 1), unit: 's' }
}

export const latencyText = (ms: number): string => {
  const { value, unit } = latencyParts(ms)
  return `${value} ${unit}`
}

/** 21×, 1.4×, 0.3× */
export const timesText = (factor: number): string =>
  `${factor >= 10 ? GROUPED.format(Math.round(factor)) : factor.toLocaleString('en-US', { maximumSignificantDigits: 2 })}×`

export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${GROUPED.format(count)} ${count === 1 ? one : many}`

/** 40 s, 4 min, 3 h, 2 d: one unit, rounded down. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`
  return `${Math.floor(seconds / 86_400)} d`
}

/** Two clocks may differ by this much; as IDEMSCOPE_CLOCK_SKEW_MS, unless that is set. */
const SKEW_MS = 5_000

/** Whether a moment of this age is still to come: some clock was ahead when it was stamped. */
export const isAhead = (ageMs: number): boolean => ageMs < -SKEW_MS

/** 4 min; "10 min ahead of our clock" of a moment that is still to come by the console's clock. */
export const ageText = (ageMs: number): string =>
  isAhead(ageMs) ? `${durationText(-ageMs)} ahead of our clock` : durationText(ageMs)

/** 4 min ago; of a moment that is still to come as ageText. */
export const agoText = (ageMs: number): string =>
  isAhead(ageMs) ? ageText(ageMs) : `${durationText(ageMs)} ago`

/** minute, 5 minutes, hour, 6 hours, day: what a figure is per. */
export function stepText(seconds: number): string {
  const [size, unit] =
    seconds % 86_400 === 0
      ? [seconds / 86_400, 'day']
      : seconds % 3600 === 0
        ? [seconds / 3600, 'hour']
        : [seconds / 60, 'minute']
  return size === 1 ? unit : `${size} ${unit}s`
}

import { z } from 'zod'

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const BYTE_UNITS = { B: 1, KiB: 1_024, MiB: 1_048_576, GiB: 1_073_741_824 } as const

/** A timer of more than 24 days would be over at once, and some are added up. */
const TIMER_MS_MAX = DURATION_UNITS.d

/** `250ms`, `30s`, `5m`, `24h`, `30d`, as milliseconds. */
export const duration = (minMs = 0, maxMs: number = TIMER_MS_MAX) =>
  quantity(DURATION_UNITS, [minMs, maxMs], 'a duration such as 250ms, 30s or 24h')

/** `512B`, `64KiB`, `1MiB`, as bytes. */
export const bytes = (min = 0) =>
  quantity(BYTE_UNITS, [min, Number.MAX_SAFE_INTEGER], 'a size such as 64KiB or 1MiB')

function quantity(units: Readonly<Record<string, number>>, [min, max]: [number, number], form: string) {
  return z.union([z.string(), z.number()], `must be ${form}`).transform((text, context) => {
    const [, count, unit = ''] = /^(\d{1,12})([A-Za-z]+)$/.exec(String(text)) ?? []
    const factor = units[unit]
    if (count === undefined || factor === undefined) {
      context.addIssue({ code: 'custom', message: `must be ${form}, with its unit` })
      return z.NEVER
    }
    const value = Number(count) * factor
    if (value < min)
      context.addIssue({
        code: 'custom',
        message: `is too small: at least ${min} ${units === BYTE_UNITS ? 'bytes' : 'ms'}`,
      })
    if (value > max)
      context.addIssue({ code: 'custom', message: `is too large: at most ${max / DURATION_UNITS.h}h` })
    return value
  })
}

const LISTEN = /^(\[[0-9a-f:.]+\]|[^:[\]\s]+):(\d{1,5})$/i

/** `host:port`. */
export const address = z.string('must be an address such as 0.0.0.0:8080').transform((text, context) => {
  const [, host = '', port = ''] = LISTEN.exec(text) ?? []
  if (host === '' || Number(port) > 65_535) {
    context.addIssue({ code: 'custom', message: 'must be an address such as 0.0.0.0:8080 or [::1]:8080' })
    return z.NEVER
  }
  return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) }
})

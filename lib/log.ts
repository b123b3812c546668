import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino'
import { type Clock, isWithin, systemClock } from '@/lib/core/clock'

export type Log = Logger

/** Of a text within an error: a driver may quote whole rows. */
const TEXT_CHARACTERS_MAX = 2_000
/** The same trouble is logged this many times a window, then counted: a full disk must not be filled by its log. */
const REPEATS_MAX = 5
const WINDOW_MS = 30_000
const KINDS_MAX = 500
const WARN = 40

/** Structured logs on stdout, one JSON object a line; ids go in as bindings: `log.child({ runId })`. */
export function createLog(
  process: string,
  level: string,
  { clock = systemClock, to }: { clock?: Clock; to?: DestinationStream } = {},
): Log {
  const omittedBefore = limitRepeats(clock)
  const options: LoggerOptions = {
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: serializeError },
    hooks: {
      logMethod(args, method, severity) {
        const [first, message] = args as unknown as [unknown, unknown]
        if (severity < WARN || typeof first !== 'object' || first === null) return method.apply(this, args)
        const omitted = omittedBefore(`${String(message)} ${textOf('err' in first ? first.err : '')}`)
        if (omitted === null) return
        const facts = omitted === 0 ? first : { ...first, omittedBefore: omitted }
        return method.apply(this, [facts, message] as unknown as typeof args)
      },
    },
    redact: {
      paths: ['*.password', '*.token', '*.secret', '*.authorization', '*.secretKey'],
      censor: '[redacted]',
    },
  }
  return to === undefined ? pino(options) : pino(options, to)
}

/** How many of this kind were left out in its window before this one; null = leave this one out, too. */
function limitRepeats(clock: Clock): (kind: string) => number | null {
  const windows = new Map<string, { startedMs: number; count: number }>()
  return (kind) => {
    const nowMs = clock.now().getTime()
    const open = windows.get(kind)
    if (open !== undefined && isWithin(WINDOW_MS, nowMs, open.startedMs)) {
      open.count += 1
      return open.count > REPEATS_MAX ? null : 0
    }
    if (windows.size >= KINDS_MAX) windows.clear()
    windows.set(kind, { startedMs: nowMs, count: 1 })
    return Math.max(0, (open?.count ?? 0) - REPEATS_MAX)
  }
}

/** What an error is about, without the numbers and names that differ each time. */
function textOf(error: unknown): string {
  const text = error instanceof Error ? `${error.name} ${error.message}` : String(error)
  return text.slice(0, 400).replaceAll(/\d+|"[^"]*"/g, '#')
}

const serializeError = pino.stdSerializers.wrapErrorSerializer((error) => {
  const short: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(error))
    short[name] = typeof value === 'string' ? value.slice(0, TEXT_CHARACTERS_MAX) : value
  return short as typeof error
})

export const silentLog: Log = pino({ level: 'silent' })

import { type Logger, pino } from 'pino'

export type Log = Logger

/** Structured logs on stdout, one JSON object a line; ids go in as bindings: `log.child({ runId })`. */
export function createLog(process: string, level: string): Log {
  return pino({
    level,
    base: { process },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: {
      paths: ['*.password', '*.token', '*.secret', '*.authorization', '*.secretKey'],
      censor: '[redacted]',
    },
  })
}

export const silentLog: Log = pino({ level: 'silent' })

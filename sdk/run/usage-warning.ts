import { trace } from '@opentelemetry/api'
import { IdempotencyUsageError } from '../errors'

/**
 * Tells developers of a wrong use on the active span and by `onUsageWarning`. Never throws: an effect may have happened
 * before, and the request must not fail of it.
 */
export function warnOfUsage(
  { onUsageWarning }: { onUsageWarning: (warning: IdempotencyUsageError) => void },
  message: string,
): void {
  const warning = new IdempotencyUsageError(message)
  trace.getActiveSpan()?.recordException(warning)
  try {
    onUsageWarning(warning)
  } catch {
    // The listener's own fault; there is nobody else to tell.
  }
}

export function emitUsageWarning(warning: IdempotencyUsageError): void {
  if (typeof process !== 'undefined') process.emitWarning(warning)
}

import { StoreUnavailableError } from '../../errors'

// SQLSTATE classes and codes that say "not now" rather than "never": connection, resources, shutdown, cancelled by a
// timeout, lock timeout, read-only standby after a failover, too many connections.
const UNAVAILABLE = /^(08|53|57|58|25006|55P03|40001|40P01)/
const CONNECTION = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ENOENT)/
const DRIVER = /timeout|terminated|connection error|not queryable|after calling end|closed/i

/** The SQLSTATE of a server's error, or the code of Node's; undefined when it has none. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** Translates the driver's errors; what it does not know (a bug, a missing migration) stays as it is. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const code = codeOf(error)
  const unavailable =
    code === undefined
      ? DRIVER.test(error.message) || isAggregate(error)
      : UNAVAILABLE.test(code) || CONNECTION.test(code)
  return unavailable
    ? new StoreUnavailableError(`the idempotency store is unavailable: ${error.message}`, { cause: error })
    : error
}

const BROKEN_CODE = /^(0800[367]|57P0[12]|ECONNRESET|EPIPE)/
const BROKEN_MESSAGE = /^Connection terminated(?! due to connection timeout)/

/** The connection broke over a statement: what the statement does may be done. */
export function isAnswerLost(error: unknown): boolean {
  if (!(error instanceof StoreUnavailableError) || !(error.cause instanceof Error)) return false
  const code = codeOf(error.cause)
  return code === undefined ? BROKEN_MESSAGE.test(error.cause.message) : BROKEN_CODE.test(code)
}

// node reports a refused connection to a name with two addresses as an AggregateError.
const isAggregate = (error: Error): boolean =>
  error instanceof AggregateError &&
  error.errors.some((one: unknown) => one instanceof Error && 'code' in one)

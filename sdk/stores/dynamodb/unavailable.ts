import { StoreUnavailableError } from '../../errors'

/** "Not now" rather than "never". */
const UNAVAILABLE = new Set([
  'InternalServerError',
  'InternalFailure',
  'ItemCollectionSizeLimitExceededException',
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'ReplicatedWriteConflictException',
  'RequestLimitExceeded',
  'RequestTimeout',
  'RequestTimeoutException',
  'ServiceUnavailable',
  'ServiceUnavailableException',
  'ThrottlingException',
  'TimeoutError',
  'TransactionConflictException',
  'TransactionInProgressException',
  // Credentials that are being renewed, or whose service does not answer.
  'CredentialsProviderError',
  'ExpiredTokenException',
])
const CONNECTION =
  /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ERR_HTTP2|ERR_SOCKET)/
/** Nothing was sent. */
const UNREACHED = /^(ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH)/
const MESSAGES = /socket hang up|aborted|connection (closed|ended)/i

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')

const statusOf = (error: Error): number => {
  const metadata: unknown = '$metadata' in error ? error.$metadata : undefined
  const status = (metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode
  return typeof status === 'number' ? status : 0
}

/** Translates the client's errors; what it does not know (a bug, a missing table or right) stays as it is. */
export function asStoreError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof StoreUnavailableError) return error
  const unavailable =
    UNAVAILABLE.has(error.name) ||
    statusOf(error) >= 500 ||
    (statusOf(error) === 0 && (CONNECTION.test(codeOf(error)) || MESSAGES.test(error.message)))
  if (unavailable)
    return new StoreUnavailableError(`the idempotency store is unavailable: ${error.message || error.name}`, {
      cause: error,
    })
  return error
}

/** What was asked for may be done, or will be when it is asked for again. */
export const isWorthRepeating = (error: unknown): boolean =>
  error instanceof StoreUnavailableError &&
  error.cause instanceof Error &&
  !UNREACHED.test(codeOf(error.cause)) &&
  error.cause.name !== 'CredentialsProviderError'

/** The item would have more than 400 KB. */
export const isTooLarge = (error: unknown): boolean =>
  error instanceof Error &&
  error.name === 'ValidationException' &&
  /item size .*exceeded|exceeded the maximum allowed size/i.test(error.message)

import { type SourceFault, SourceUnavailableError } from '../../contracts'

const BY_NAME: readonly [RegExp, SourceFault, string][] = [
  [/Throughput|Throttl|RequestLimit|LimitExceeded/, 'overloaded', 'It throttles: its capacity is used up'],
  [/ResourceNotFound/, 'schema_changed', 'There is no such table'],
  [/AccessDenied/, 'permission', 'The role lacks a permission'],
  [
    /UnrecognizedClient|InvalidSignature|InvalidClientToken|ExpiredToken|IncompleteSignature|MissingAuthentication|CredentialsProvider/,
    'credentials',
    'It refuses the credentials',
  ],
  [/ValidationException/, 'schema_changed', 'Its table is not as the configuration says'],
  [/Abort|Timeout/, 'slow', 'It is slow: no answer within the timeout'],
]

const statusOf = (error: Error): number | undefined =>
  '$metadata' in error ? (error.$metadata as { httpStatusCode?: number }).httpStatusCode : undefined

/** Says what is wrong, in words that tell the cases apart, and whether it is certain that nothing was changed. */
export function unavailable(cause: unknown): SourceUnavailableError {
  if (cause instanceof SourceUnavailableError) return cause
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const status = statusOf(error)
  const known = BY_NAME.find(([pattern]) => pattern.test(error.name))
  const [fault, said] =
    known === undefined
      ? status !== undefined && status < 500
        ? (['other', 'It answers with an error'] as const)
        : (['down', 'It cannot be reached'] as const)
      : ([known[1], known[2]] as const)
  // An answer of DynamoDB below 500 is a refusal of the whole request; a lost answer says nothing.
  const refused = status !== undefined && status >= 400 && status < 500
  // The client's own error holds the whole request, signature included: only its name and text go on.
  const told = Object.assign(new Error(error.message || error.name), { name: error.name })
  return new SourceUnavailableError(`${said}: ${told.message}`, { cause: told, fault, refused })
}

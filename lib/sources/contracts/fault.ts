/** What is wrong with a source, told apart: each has another remedy. */
export type SourceFault =
  | 'down'
  | 'slow'
  | 'read_only'
  | 'schema_changed'
  | 'permission'
  | 'credentials'
  | 'overloaded'
  | 'other'

/** The source cannot be reached or does not answer as it must. It breaks nothing else. */
export class SourceUnavailableError extends Error {
  readonly fault: SourceFault
  /** The server refused the statement: it is certain that nothing was changed. */
  readonly refused: boolean

  constructor(message: string, options: { cause?: unknown; fault?: SourceFault; refused?: boolean } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.name = 'SourceUnavailableError'
    this.fault = options.fault ?? 'other'
    this.refused = options.refused ?? false
  }
}

/** What fails before the change has changed nothing. */
export function nothingChanged(error: unknown): never {
  if (!(error instanceof SourceUnavailableError)) throw error
  throw new SourceUnavailableError(error.message, { cause: error, fault: error.fault, refused: true })
}

/** Of a source that is opened before it is connected. */
export const onlyLookedAt = () =>
  new SourceUnavailableError('It is opened to be looked at: nothing is changed', {
    fault: 'read_only',
    refused: true,
  })

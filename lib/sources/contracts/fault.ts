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

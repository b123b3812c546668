/** Nothing of the request left this process: no connection was made. Safe to try again. */
export class NotSentError extends Error {
  override readonly name = 'NotSentError'
}

/** Where an answer was lost. */
export type LossPhase = 'waiting' | 'answering' | 'answered_by_proxy' | 'unusable_answer' | 'recording'

/** The request was sent, or may have been, and no whole answer came: nobody here knows whether it was executed. */
export class AnswerLostError extends Error {
  override readonly name = 'AnswerLostError'
  constructor(
    message: string,
    readonly phase: LossPhase,
    readonly facts: {
      timedOut?: boolean
      status?: number
      bodyBytes?: number
      keptConnection?: boolean
    } = {},
    options?: ErrorOptions,
  ) {
    super(message, options)
  }
}

/** The probe could not say what became of the request. */
export class StillUnknownError extends Error {
  override readonly name = 'StillUnknownError'
}

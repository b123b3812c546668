/** The store did not answer, or refused for want of resources. Fail-closed and fail-open hang on this class. */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError'
}

/**
 * The connection broke at COMMIT and the store could not be asked what became of it: the work may be committed. It is never
 * run again by this attempt; the key's lease is left to expire, and the next request finds the record or takes over.
 */
export class UnknownCommitError extends StoreUnavailableError {}

/** The holder's fence is no longer the key's: another one took over, or an operator released it. Do nothing more. */
export class StaleHolderError extends Error {
  override readonly name = 'StaleHolderError'
}

/** The execution ran past its deadline: it may not begin effects any more. A kind of stale holder. */
export class ExecutionDeadlineError extends StaleHolderError {}

/** Throw it from an effect's call when the effect is known not to have happened: it may be tried again. */
export class EffectFailedError extends Error {
  override readonly name = 'EffectFailedError'
}

/** An earlier attempt began this effect without a provider key and nobody knows its end: doing it again may double it. */
export class UnsettledEffectError extends Error {
  override readonly name = 'UnsettledEffectError'
}

/**
 * An operator holds this scope, or this step: nothing was begun. Let it throw: the client is answered 503, and the key may be
 * used again once the hold has ended.
 */
export class HeldError extends Error {
  override readonly name = 'HeldError'
  constructor(
    message: string,
    readonly hold: { leftMs: number },
  ) {
    super(message)
  }
}

/** The SDK was called in a way that it cannot keep its promises. */
export class IdempotencyUsageError extends Error {
  override readonly name = 'IdempotencyUsageError'
}

/** Options were wrong; names all faults at once. */
export class IdempotencyOptionsError extends Error {
  override readonly name = 'IdempotencyOptionsError'
  constructor(readonly faults: readonly string[]) {
    super(`invalid idempotency options: ${faults.join('; ')}`)
  }
}

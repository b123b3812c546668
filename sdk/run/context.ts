import type { Json } from '../effects/json'
import type { EffectKind } from '../stores/store'
import type { EffectOutcome } from '../telemetry/effect-span'

/** What a handler gets beside the request. */
export type IdempotencyContext<Tx = unknown, Extra = undefined> = {
  /** `{caller}/{METHOD} {route}`. */
  readonly scope: string
  /** null: the request is unkeyed and nothing is protected. */
  readonly key: string | null
  /** 1 for the first; 0 where nothing is protected. */
  readonly attempt: number
  /** null where nothing is protected (unkeyed, or the store was down and the route fails open). */
  readonly fence: bigint | null
  /** Aborts at the execution deadline or when the fence is lost. */
  readonly signal: AbortSignal
  /** What the framework passed beside the request (Next's `{ params }`, Hono's context). */
  readonly extra: Extra
  /** The last recovery point that an earlier attempt reached. */
  readonly recoveryPoint: string | null
  /** The data of an earlier attempt's checkpoint, or undefined. */
  checkpointData(name: string): Json | undefined
  /** Names a recovery point and keeps its data for the next attempt. */
  checkpoint(name: string, data?: Json): Promise<void>
  /**
   * Does a side effect at most once in this key's life. An effect that an earlier attempt committed is not done again:
   * its stored result is returned. Throws StaleHolderError when this holder may not begin effects any more.
   */
  effect<R extends Json = null>(
    step: string,
    options: EffectOptions,
    call: (args: EffectArguments) => Promise<EffectOutput<R>>,
  ): Promise<EffectResult<R>>
  /**
   * Runs the application's work in one transaction of the store's database and completes the key in it, just before
   * COMMIT: both happen or neither. A stale holder's work is rolled back. A response that is not stored (400, 409 …)
   * rolls back too. Return the response that this resolves to. Never call a provider inside.
   */
  transaction(work: (tx: Tx) => Promise<Response>): Promise<Response>
  /** Telemetry only, for an effect that was done outside `effect`. */
  reportEffect(report: EffectReport): void
}

export type EffectOptions = {
  /** e.g. `stripe.charge`. */
  name: string
  /** Default http. */
  kind?: EffectKind
  /** Whether the provider answers a repeated key with the same object. Default true. */
  providerKeyed?: boolean
  /**
   * Which errors prove that nothing happened (a declined card), and never will by this call. Not a timeout, not a broken
   * connection, not "this key is in use", and nothing that a client library may have got only on a retry of its own (429,
   * 401). Default: EffectFailedError only.
   */
  isFailure?: (error: unknown) => boolean
}

export type EffectArguments = {
  /**
   * Pass it to the provider. The same for every attempt, until a call is known to have failed (a declined card): the next
   * one has another, or the provider would answer with the stored decline.
   */
  idempotencyKey: string
  /**
   * Put it on the provider's object: `idempotency_scope`, `idempotency_key` (the key as the client sent it; not when
   * unkeyed) and `idempotency_step`. Without it the console cannot tell whose the object is, so it cannot prove that a key
   * has none.
   */
  metadata: Record<string, string>
  signal: AbortSignal
}

export type EffectOutput<R extends Json> = {
  /** The provider's id of what was made. */
  reference?: string | null
  amountMinor?: bigint | number | null
  /** ISO 4217, upper case. */
  currency?: string | null
  /** What a later attempt gets in place of the call; what does not survive JSON is left out. */
  result?: R
}

export type EffectResult<R extends Json> = {
  reference: string | null
  amountMinor: bigint | null
  currency: string | null
  result: R
  /** An earlier attempt did it. */
  replayed: boolean
}

export type EffectReport = {
  name: string
  step: string
  kind?: EffectKind
  outcome?: EffectOutcome
  reference?: string | null
  amountMinor?: bigint | number | null
  currency?: string | null
}

export type IdempotentHandler<Tx = unknown, Extra = undefined> = (
  request: Request,
  context: IdempotencyContext<Tx, Extra>,
) => Promise<Response> | Response

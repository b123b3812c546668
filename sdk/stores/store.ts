import type { Json } from '../effects/json'

/**
 * What the SDK needs of a store. Promises of every implementation:
 * - each verb compares the fence (and only then changes anything); `stale` or false = another holder has the key;
 * - leases and expiry are compared on the store's own clock, within the store's own operation;
 * - trouble of the store throws StoreUnavailableError, nothing else does.
 */
export interface Store<Tx = unknown> {
  /** As `idempotency.store.system`: postgresql, redis, dynamodb. */
  readonly system: string
  readonly capabilities: StoreCapabilities
  /** What telemetry says of the store on each request, where that may change: how durable it is now. */
  attributes?(): Readonly<Record<string, string>>
  acquire(request: AcquireRequest): Promise<Acquired>
  /** For a key whose work is one effect: begun with its acquire, settled with its completion. Absent = four operations. */
  readonly oneEffect?: OneEffect
  heartbeat(holder: Holder, leaseMs: number): Promise<boolean>
  complete(holder: Holder, response: StoredResponse): Promise<Completed | 'stale'>
  /** The request is not to be stored: absent, or kept with its steps. */
  giveBack(holder: Holder): Promise<Ended>
  /** The handler threw: retryable before any effect, unknown after. */
  abandon(holder: Holder): Promise<Ended>
  beginEffect(holder: Holder, effect: EffectBeginning): Promise<EffectBegun>
  settleEffect(holder: Holder, step: string, end: EffectEnd): Promise<boolean>
  checkpoint(holder: Holder, name: string, data: Json): Promise<boolean>
  /**
   * Runs the work once in one transaction, ended as it says; only where `capabilities.transactions`. When the answer to
   * COMMIT is lost, the store finds out what became of it: returns when it was committed, throws StoreUnavailableError when
   * nothing was, UnknownCommitError when it cannot tell.
   */
  transaction?(holder: Holder | null, work: (tx: Tx) => Promise<TransactionEnd>): Promise<void>
  /** Completes in that transaction. */
  completeWithin?(tx: Tx, holder: Holder, response: StoredResponse): Promise<Completed | 'stale'>
  /** What operators hold, and what a held key is; absent = this store has no holds. */
  readonly holds?: StoreHolds
}

export type OneEffect = {
  /** Acquires; where that gives the key's lease, the effect is begun in the same operation. */
  acquire(
    request: AcquireRequest,
    effect: Omit<EffectBeginning, 'leaseMs'>,
  ): Promise<{ acquired: Acquired; begun: EffectBegun | null }>
  /** Settles the effect, and completes. */
  complete(
    holder: Holder,
    response: StoredResponse,
    step: string,
    end: Extract<EffectEnd, { state: 'committed' }>,
  ): Promise<Completed | 'stale'>
}

/** Holds as this process last read them. */
export type StoreHolds = {
  /** Resolves when they were read at most 2 s ago, or could not be: then the last known ones stay in force. */
  refresh(): Promise<void>
  /** On new executions with this key; null = none. */
  findExecutionHold(scope: string, key: string | null): Hold | null
  /** On the effects of a step. */
  findStepHold(scope: string, step: string): Hold | null
  /** What acquire would answer, changing nothing; `held` = it would execute. */
  look(request: AcquireRequest): Promise<Looked>
}

export type Hold = { leftMs: number }

type StoreCapabilities = {
  /** Completion can commit together with the application's own work. */
  transactions: boolean
  /** Whose clock compares leases. */
  clock: 'engine' | 'client'
  /** How far clients' clocks may be apart: a holder stops so long before its lease ends. Absent = the engine's clock. */
  clockMarginMs?: number
  /** The largest response that it stores. Absent = no limit below the SDK's own. */
  responseBytesMax?: number
}

export type TransactionEnd = 'commit' | 'rollback'

export type AcquireRequest = {
  scope: string
  key: string
  tier: string
  /** 16 bytes. */
  fingerprint: Uint8Array
  owner: string
  leaseMs: number
  /** 32 hex digits. */
  traceId: string | null
  /** It was asked before, as far as the caller tells: likely a duplicate. It changes no answer. */
  retry?: boolean
}

export type Holder = { scope: string; key: string; fence: bigint; owner: string; tier: string }

export type Step = {
  step: string
  name: string
  kind: EffectKind | 'checkpoint'
  state: 'begun' | 'committed' | 'failed' | 'unknown'
  reference: string | null
  amountMinor: bigint | null
  currency: string | null
  result: Json
}

type LiveKey = { attempt: number; fence: bigint; owner: string; createdAt: Date; leaseLeftMs: number }

export type Acquired =
  | ({ kind: 'acquired' } & LiveKey)
  /** An earlier attempt ended without a record; its steps are kept. */
  | ({ kind: 'takeover'; recoveryPoint: string | null; steps: Step[] } & LiveKey)
  | ({ kind: 'in_progress' } & LiveKey)
  /** An effect was begun and nobody knows its end; an operator or the reconciler settles it. */
  | ({ kind: 'unknown' } & LiveKey)
  | { kind: 'mismatch'; state: RecordState }
  | ({ kind: 'replay'; state: 'completed' | 'failed_final'; attempt: number; fence: bigint } & Completed &
      StoredResponse & { traceId: string | null })

export type Looked = Exclude<Acquired, { kind: 'acquired' | 'takeover' }> | { kind: 'held' }

export type AcquiredOrHeld = Acquired | { kind: 'held'; hold: Hold }

/** `expired`: the key may not begin anything any more, and has begun nothing. */
export type AcquiredOrExpired = AcquiredOrHeld | { kind: 'expired' }

/** As `idempotency.record.state`. */
export type RecordState = 'leased' | 'completed' | 'failed_final' | 'retryable' | 'unknown'

export type StoredResponse = { status: number; headers: [string, string][]; body: Uint8Array }

export type Completed = { createdAt: Date; expiresAt: Date }

export type Ended = 'absent' | 'retryable' | 'unknown' | 'stale'

export type EffectKind = 'http' | 'db' | 'message' | 'other'

export type EffectBeginning = {
  step: string
  name: string
  kind: EffectKind
  /**
   * Of the step's first call; null = the provider does not deduplicate by a key of ours. After n calls that are known to
   * have failed the store says another: the SHA-256 of `{providerKey}/{n}` in hex. A step that was ever begun again
   * while an earlier end was unknown keeps the key that it has: that earlier call may still happen.
   */
  providerKey: string | null
  leaseMs: number
}

export type EffectEnd =
  | {
      state: 'committed'
      reference: string | null
      amountMinor: bigint | null
      currency: string | null
      result: Json
    }
  /** `not_called`: begun, and then not called. Failed, unless an earlier call's end is still unknown. */
  | { state: 'failed' | 'unknown' | 'not_called' }

export type EffectBegun =
  | { kind: 'begun'; providerKey: string | null }
  | {
      kind: 'committed'
      reference: string | null
      amountMinor: bigint | null
      currency: string | null
      result: Json
    }
  | { kind: 'stale' }
  /** This very holder has begun it and not settled it. */
  | { kind: 'busy' }
  /** Begun before without a provider key, end unknown. */
  | { kind: 'unsettled' }

/** A returned error is as final as a success: both are replayed. */
export const recordStateOf = (status: number): 'completed' | 'failed_final' =>
  status >= 400 ? 'failed_final' : 'completed'

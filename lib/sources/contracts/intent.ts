import type { HoldSource } from './holds'
import type { UnreadableRow } from './unreadable-row'

export type StoreCapabilities = {
  canRelease: boolean
  canComplete: boolean
  canFail: boolean
  canCollect: boolean
  /** Operators can hold new executions in the store itself; absent = they cannot. */
  canHold?: boolean
  /** What a compare-and-set can compare: a token of the holder, a version of the row, or only its value. */
  casStrength: 'token' | 'version' | 'value'
  /** A holder that comes back after a release can no longer write. */
  zombieSafe: boolean
  /** The provider's idempotency key is derived from (scope, key, step): a zombie's late call is answered with the same object. */
  providerKeyed: boolean
  /**
   * The store records a side effect before its call: a key without one has begun none. Absent = it does not, and a key
   * without a recorded effect says nothing of what was called.
   */
  recordsEffects?: boolean
  /**
   * The layout keeps no time of creation, and a release leaves nothing: each write begins what looks like another life of
   * the key.
   */
  writesBeginLives?: boolean
  /** How finished keys are collected; absent = `drop_partitions` where `canCollect`. */
  collection?: CollectionMode
  /** What becomes of acknowledged writes when a machine or a process fails, in words; absent = it is not known here. */
  durability?: { kept: boolean; text: string }
  /** How it is read where that costs its owner something: how often, how much, how old what is shown is. */
  reading?: string
  /** Why something is not offered, or with what limit, in plain words; `zombie`: what a holder that comes back after a release does. */
  reasons?: Partial<Record<StoreVerb | 'zombie', string>>
}

export type StoreVerb = 'release' | 'complete' | 'fail' | 'collect'
/** `by_engine`: the store's engine deletes expired keys itself. */
export type CollectionMode = 'drop_partitions' | 'batched_delete' | 'report_only' | 'by_engine'

export type EffectState = 'begun' | 'committed' | 'failed' | 'unknown'

/** A side effect as the store recorded it. */
export type StoredEffect = {
  step: string
  name: string
  kind: string
  state: EffectState
  /** The idempotency key that was sent to the provider; null = none was derived. */
  providerKey: string | null
  /** The provider's id of what was made. */
  reference: string | null
  amountMinor: bigint | null
  currency: string | null
  begunAt: Date
  settledAt: Date | null
  /** What the handler gets back on a replay of the step (live keys only). */
  result: unknown
}

export type LeaseState = 'leased' | 'retryable' | 'unknown'

/** Everything a compare-and-set compares, exactly as read: stamps are text, with their microseconds. */
export type SeenLease = {
  scope: string
  key: string
  createdAt: string
  fence: string
  state: LeaseState
  leaseUntil: string
  heartbeatAt: string
  /** What else the adapter compares: a row's version, a value with its expiry. */
  rowVersion?: string
  /** A digest of the key's steps, all columns; absent = the store keeps none beside the row itself. */
  steps?: string
}

export type LeaseRow = {
  scope: string
  key: string
  state: LeaseState
  /** The lease has passed, on the store's clock, when it was read. */
  expired: boolean
  fence: bigint
  owner: string
  /** Names the acquire of its holder, so that one that is sent again is recognised; absent = the layout has none. */
  nonce?: string
  attempts: number
  tier: string | null
  step: string | null
  traceId: string | null
  fingerprint: string | null
  /** First acquire of this life of the key. */
  createdAt: Date
  leaseUntil: Date
  heartbeatAt: Date
  /** Older than its tier keeps records: unfinished past retention. */
  overdue: boolean
  /** The library keeps no lease: nothing in the store tells whether its holder is alive. */
  leaseless?: boolean
  /** Its stamps are of a client's clock: that they have passed proves only together with two looks, one lease apart. */
  clientClock?: boolean
  /** Its key is a hash of the caller's: a provider's object that carries the caller's key cannot be told to be of it. */
  hashedKey?: boolean
  effects: StoredEffect[]
  seen: SeenLease
  /** `seen` as one opaque string: what a client sends back as the version that it saw. */
  version: string
}

export type RecordRow = {
  scope: string
  key: string
  state: 'completed' | 'failed_final'
  fence: bigint
  attempts: number
  tier: string | null
  /** HTTP status of the stored response. */
  status: number | null
  traceId: string | null
  fingerprint: string | null
  createdAt: Date
  /** First acquire, with its microseconds: with scope and key it names this life. */
  createdAtText: string
  expiresAt: Date
  /** As exact as the expiry and the tier's present TTL allow. */
  completedAt: Date
  effects: StoredEffect[]
  /** Ids that the stored response names, the provider's among them. */
  names: string[]
  /** The business reference that the stored response names, when the source is told where to find it. */
  reference: string | null
}

/** One key, whole, read in one statement. Both null = absent. */
export type KeyReading = {
  now: Date
  lease: LeaseRow | null
  record: (RecordRow & { expired: boolean; response: StoredResponse }) | null
}

export type StoredResponse = { status: number; headers: Record<string, string>; body: string }

export type StoreRefusal =
  | 'holder_alive'
  | 'fence_changed'
  | 'state_changed'
  | 'steps_changed'
  | 'gone'
  /** A cache before the store still replays a finished record of the key, which the store does not have. */
  | 'answered_by_cache'
export type StoreOutcome =
  | { kind: 'done'; now: Date }
  | { kind: 'refused'; reason: StoreRefusal; now: Date; current: LeaseRow | null }

export type OperateOptions = {
  actionId: string
  /** A lease is dead when it passed at least this long ago, on the store's clock. */
  graceMs: number
  /**
   * The caller has watched the holder be silent for the length of its lease: a lease whose stamps lie more than this
   * ahead of the store's clock is dead too. Absent = only a lease that passed is.
   */
  aheadMs?: number
}

/** What the provider says a step made: written into the record when the holder died before it could. */
export type SettledEffect = {
  step: string
  reference: string
  amountMinor: bigint | null
  currency: string | null
}

export type StoreSample = {
  tier: string
  rows: bigint
  bytes: bigint
  expiredRows: bigint
  oldestAt: Date | null
  oldestExpiredAt: Date | null
}

export type StorePartition = {
  partition: string
  tier: string
  from: Date
  to: Date
  rowsEstimate: bigint
  bytes: bigint
  expired: boolean
}

/** How a stored response is recovered for a route, e.g. `{{effect.reference}}`, `{{amountMinor}}` in `body`. */
export type ResponseTemplate = { status: number; headers: Record<string, string>; body: unknown }

export type LeasePage = {
  now: Date
  leases: LeaseRow[]
  truncated: boolean
  next?: string | null
  unreadable?: UnreadableRow[]
  /** Why this is not all that there is, in words, where it is not for being more than `limit`. */
  unread?: string
  /** What was acquired before this is all there, and what is younger may be missing; null = nobody knows. */
  wholeUntil?: Date | null
}

export type RecordPage = {
  items: RecordRow[]
  cursor: string
  more: boolean
  unreadable?: UnreadableRow[]
  /** Why this is not all that there is, in words: what is not read proves nothing absent. */
  unread?: string
  /** Where it is not read at each turn: whatever had finished by then, on its clock, has been read. */
  asOf?: Date
}

/** What a collection by rows keeps back: per endpoint (`POST /v1/payments`), `*` = all others. */
export type RowRetention = {
  safetyMs: number
  /** How long a row is kept from its creation; by endpoint. It never shortens the floor. */
  ttlMs?: Readonly<Record<string, number>>
  /**
   * So long after its last use the provider still answers a key with the same object. No row goes before that, nor
   * before its own expiry: the floor.
   */
  providerWindowMs: number
  /** Endpoints of `ttlMs` that two people took out of the floor. */
  belowFloor?: readonly string[]
}

/** A finished key past its retention, whole: what the archive keeps. */
export type ExpiredRow = {
  scope: string
  key: string
  createdAt: string
  expiresAt: string
  /** The row as the store has it, every column. */
  row: Record<string, unknown>
}

export type ExpiredBatch = {
  expired: ExpiredRow[]
  /** Unfinished and past retention: never deleted. */
  unfinished: { scope: string; key: string; state: string; createdAt: string }[]
  scanned: number
  /** Where the next batch begins; null = the walk is at its end. */
  next: string | null
}

export type DeletedBatch = {
  rows: number
  scanned: number
  unfinished: ExpiredBatch['unfinished']
  next: string | null
}

/** Collection row by row, walking an index from a position: what a store without partitions offers. */
export interface RowCollection {
  /** How long the store itself keeps every row from its creation; null = each row says it. */
  readonly ownExpiryMs: number | null
  /** Reads what a delete from this position would take. */
  readExpired(position: string | null, limit: number, retention: RowRetention): Promise<ExpiredBatch>
  /** The same walk, deleting: one statement, bounded by `limit` rows of the index. */
  deleteExpired(position: string | null, limit: number, retention: RowRetention): Promise<DeletedBatch>
  /** Deletes exactly these, where they are still finished and expired. Returns how many went. */
  deleteRows(rows: readonly ExpiredRow[], retention: RowRetention): Promise<number>
  /** Puts archived rows back; one that is there stays. Returns how many came. */
  restoreRows(rows: readonly ExpiredRow[]): Promise<number>
  /** A sign of load that every role may read: sessions that wait for a lock. */
  waitingSessions(): Promise<number>
}

export interface IntentSource {
  readonly kind: 'intent'
  readonly capabilities: StoreCapabilities
  /** By endpoint (`POST /v1/payments`). A route without one cannot be completed from here. */
  readonly responses: Readonly<Record<string, ResponseTemplate>>
  /** The store's clock. */
  storeClock(): Promise<Date>
  /**
   * Live leases, oldest first where the store can order them; `truncated` = there are more than `limit`, so absence
   * proves nothing. A store that can only scan answers page by page: `next` continues, absent or null = that was all.
   */
  readLeases(options: { limit: number; cursor?: string | null }): Promise<LeasePage>
  /** Records since `cursor` (null = from the beginning), those that committed behind a younger one included. */
  readRecords(cursor: string | null, limit: number): Promise<RecordPage>
  /** Throws `UnreadableKeyError` where its row is there and cannot be understood: that is not absence. */
  readKey(scope: string, key: string): Promise<KeyReading>
  release(seen: SeenLease, options: OperateOptions): Promise<StoreOutcome>
  complete(
    seen: SeenLease,
    options: OperateOptions & { response: StoredResponse; settled?: readonly SettledEffect[] },
  ): Promise<StoreOutcome>
  fail(seen: SeenLease, options: OperateOptions & { response: StoredResponse }): Promise<StoreOutcome>
  /** What is written now is kept at least so long from its first acquire; absent or null = the store does not say it. */
  recordsKeptMs?(): Promise<number | null>
  sample(): Promise<StoreSample[]>
  listPartitions(): Promise<StorePartition[]>
  /** Drops one partition; `busy` = another session is in the way (`by` says which), try later; `not_due` = it may hold live records. */
  collectPartition(
    partition: string,
    safetyMs: number,
  ): Promise<
    | { kind: 'done'; rows: bigint; bytes: bigint }
    | { kind: 'busy'; by: string }
    | { kind: 'not_due' }
    | { kind: 'gone' }
  >
  /** Only with `collection: 'batched_delete'`. */
  readonly rowCollection?: RowCollection
  /** What operators hold; absent = the layout has none. */
  readonly holds?: HoldSource
  /** Rows of a partition, page by page, for the archive. Only with `drop_partitions`. */
  readPartition?(partition: string, position: string | null, limit: number): Promise<PartitionPage>
  close(): Promise<void>
}

export type PartitionPage = { rows: ExpiredRow[]; next: string | null }

import { type Clock, systemClock } from '../clock'
import { IdempotencyOptionsError, IdempotencyUsageError } from '../errors'
import { FINGERPRINT_VERSIONS, type FingerprintVersion } from '../fingerprint/fingerprint'
import type { KeySource } from '../keys/content-key'
import type { IssuedKeys } from '../keys/issued-keys'
import type { ScopeParts } from '../keys/scope'
import { REPLAY_HEADERS_DEFAULT } from '../responses/stored-response'
import type { Store } from '../stores/store'
import { emitUsageWarning } from './usage-warning'

export type { ScopeParts } from '../keys/scope'

export type IdempotentOptions<Tx = unknown, Extra = undefined> = {
  store: Store<Tx>
  /**
   * A Response refuses the request (e.g. 401) before anything is looked up. `extra` is what the framework passed beside the
   * request, where its authentication may have put the caller.
   */
  scope: (request: Request, extra: Extra) => ScopeParts | Response | Promise<ScopeParts | Response>
  /** For the key's hash in telemetry; the same secret as the console's IDEMSCOPE_KEY_SECRET. */
  keySecret: string
  /** Whether a request without a key is refused (400). Default true. */
  required?: boolean
  /**
   * What is an operation's key. Default `header`: Idempotency-Key. `content`: the whole request, for what is never changed
   * (ledger entries, events). A function: what names it, such as the event id of a provider's webhook. Never a time.
   */
  keyFrom?: KeySource
  /** Only keys that these issued are taken, each for one execution. */
  requireIssuedKey?: IssuedKeys
  /**
   * How the fingerprint of a new key is made; retries are compared in every version. A later one is for when no process
   * runs any more that does not know it. Default 1.
   */
  fingerprintVersion?: FingerprintVersion
  /** Retention class, registered with the store. Default `default`. */
  tier?: string
  /** How long a silent holder keeps the key. Default 10 s. */
  leaseMs?: number
  /** How often a holder prolongs its lease; at most half of it. Default a third. */
  heartbeatMs?: number
  /** After this the client is answered 503, the heartbeat ends and no effect may begin. Default 30 s. */
  executionDeadlineMs?: number
  /** Larger requests are refused (413). Default 1 MiB. */
  bodyBytesMax?: number
  /**
   * Larger responses cannot be stored; the handler is treated as if it had thrown. Default 4 MiB, or what the store can keep
   * where that is less.
   */
  responseBytesMax?: number
  /** Response headers that are stored and replayed. Default REPLAY_HEADERS_DEFAULT. */
  replayHeaders?: readonly string[]
  /**
   * Answers come from a proxy that inflates nothing: their Content-Encoding is true of their bytes. Default false: it is left
   * out where the bytes are not in that coding, as of a response of `fetch`.
   */
  codingsAsSent?: boolean
  /** Without the store: refuse (503), or execute unprotected. Default closed. */
  failMode?: 'closed' | 'open'
  /** How long a duplicate waits for the first one's answer before its 409. Default 0. */
  waitMs?: number
  /** Which responses are not stored, so that the same key may be tried again. Default 400, 401, 409, 412, 422, 428, 429. */
  notStored?: (response: Response) => boolean
  /** Puts the raw key into telemetry too. Default false. */
  recordRawKey?: boolean
  /**
   * Hears of wrong uses that must not fail the request, e.g. an amount with a fraction. Default: a warning of the process.
   */
  onUsageWarning?: (warning: IdempotencyUsageError) => void
  /** Names this process as a holder. Default its pid and a random part. */
  owner?: string
  clock?: Clock
  /** 0 ≤ x < 1. */
  random?: () => number
}

export type Settings<Tx> = Required<
  Omit<IdempotentOptions<Tx>, 'replayHeaders' | 'scope' | 'requireIssuedKey'>
> & {
  replayHeaders: ReadonlySet<string>
  requireIssuedKey?: IssuedKeys
}

// Validation, authentication, conflict, precondition, rate: the client is to change something or wait, then use the same key.
const NOT_STORED_STATUSES = new Set([400, 401, 409, 412, 422, 428, 429])

/** Fills in the defaults. Throws IdempotencyOptionsError with every fault. */
export function resolveOptions<Tx>({
  scope,
  ...options
}: Omit<IdempotentOptions<Tx>, 'scope'> & { scope: unknown }): Settings<Tx> {
  const leaseMs = options.leaseMs ?? 10_000
  const settings: Settings<Tx> = {
    ...options,
    required: options.required ?? true,
    keyFrom: options.keyFrom ?? 'header',
    fingerprintVersion: options.fingerprintVersion ?? 1,
    tier: options.tier ?? 'default',
    leaseMs,
    heartbeatMs: options.heartbeatMs ?? Math.floor(leaseMs / 3),
    executionDeadlineMs: options.executionDeadlineMs ?? 30_000,
    bodyBytesMax: options.bodyBytesMax ?? 1_048_576,
    responseBytesMax: options.responseBytesMax ?? Math.min(4_194_304, storeBytesMax(options)),
    replayHeaders: new Set(
      (options.replayHeaders ?? REPLAY_HEADERS_DEFAULT).map((name) => name.toLowerCase()),
    ),
    codingsAsSent: options.codingsAsSent ?? false,
    failMode: options.failMode ?? 'closed',
    waitMs: options.waitMs ?? 0,
    notStored: decideBy(options.notStored ?? ((response) => NOT_STORED_STATUSES.has(response.status))),
    recordRawKey: options.recordRawKey ?? false,
    onUsageWarning: options.onUsageWarning ?? emitUsageWarning,
    owner: options.owner ?? defaultOwner(),
    clock: options.clock ?? systemClock,
    random: options.random ?? Math.random,
  }
  const faults = findFaults(settings)
  if (typeof scope !== 'function') faults.push('scope must be a function')
  if (faults.length > 0) throw new IdempotencyOptionsError(faults)
  return settings
}

const storeBytesMax = <Tx>({ store }: Pick<IdempotentOptions<Tx>, 'store'>): number =>
  store?.capabilities?.responseBytesMax ?? Number.POSITIVE_INFINITY

/** A promise would be taken for yes, and every retry would execute. */
function decideBy(notStored: (response: Response) => boolean): (response: Response) => boolean {
  return (response) => {
    const decided: unknown = notStored(response)
    if (typeof decided !== 'boolean') throw new IdempotencyUsageError('notStored must return true or false')
    return decided
  }
}

function findFaults<Tx>(settings: Settings<Tx>): string[] {
  const faults: string[] = []
  const check = (holds: boolean, fault: string) => {
    if (!holds) faults.push(fault)
  }
  check(typeof settings.store?.acquire === 'function', 'store must be a store')
  check(
    typeof settings.keySecret === 'string' && settings.keySecret.length >= 16,
    'keySecret must have 16 characters or more',
  )
  check(
    typeof settings.keyFrom === 'function' || ['header', 'content'].includes(settings.keyFrom),
    "keyFrom must be 'header', 'content' or a function",
  )
  check(
    settings.requireIssuedKey === undefined || settings.keyFrom === 'header',
    'requireIssuedKey takes keys of the header: leave keyFrom out',
  )
  check(
    settings.requireIssuedKey === undefined || settings.required,
    'requireIssuedKey refuses requests without a key: leave required out',
  )
  check(
    settings.requireIssuedKey === undefined || settings.failMode === 'closed',
    'requireIssuedKey needs the store for each use: failMode must be closed',
  )
  check(
    FINGERPRINT_VERSIONS.includes(settings.fingerprintVersion),
    `fingerprintVersion must be one of ${FINGERPRINT_VERSIONS.join(', ')}`,
  )
  check(/^[a-z][a-z0-9_]{0,30}$/.test(settings.tier), 'tier must be a lower-case name')
  check(isCount(settings.leaseMs, 100), 'leaseMs must be a whole number from 100')
  check(
    isCount(settings.heartbeatMs, 10) && settings.heartbeatMs <= settings.leaseMs / 2,
    'heartbeatMs must be a whole number from 10 to half of leaseMs',
  )
  check(isCount(settings.executionDeadlineMs, 1), 'executionDeadlineMs must be a whole number from 1')
  check(isCount(settings.bodyBytesMax, 0), 'bodyBytesMax must be a whole number')
  check(isCount(settings.responseBytesMax, 0), 'responseBytesMax must be a whole number')
  check(
    !(settings.responseBytesMax > storeBytesMax(settings)),
    `responseBytesMax must be at most ${storeBytesMax(settings)}, which is what this store can keep`,
  )
  check(isCount(settings.waitMs, 0), 'waitMs must be a whole number')
  check(settings.failMode === 'open' || settings.failMode === 'closed', "failMode must be 'open' or 'closed'")
  check(/^[\x20-\x7e]{1,200}$/.test(settings.owner), 'owner must be 1 to 200 visible characters')
  return faults
}

const isCount = (value: number, min: number): boolean => Number.isSafeInteger(value) && value >= min

export function defaultOwner(): string {
  const pid = typeof process === 'undefined' ? 0 : process.pid
  return `pid-${pid}-${crypto.randomUUID().slice(0, 8)}`
}

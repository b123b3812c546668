import type { Clock } from '@/sdk/clock'
import type { Acquired, EffectBeginning, Holder, Store } from '@/sdk/stores/store'
import { acquireRequest, holderOf } from '../support'

/** One key of a store. */
export type Target = { scope: string; key: string }

export type Verb = Exclude<
  keyof Store,
  'system' | 'capabilities' | 'attributes' | 'holds' | 'oneEffect' | 'transaction' | 'completeWithin'
>

export type HoldPlacing = {
  kind: 'store' | 'route' | 'caller' | 'step' | 'key'
  id?: string
  route?: string
  caller?: string
  step?: string
  scope?: string
  key?: string
  lastsMs?: number
}

/** What the engine itself has written down, where it can. */
export type Change = {
  what: 'holder' | 'begun'
  fence: bigint
  /** Before it, by the letter that stores.md gives the state. */
  fromState: string | null
  fromOwner: string | null
}

/** How operators are named that the harness plays. */
export const OPERATOR = 'idemscope:test'

/** TTLs of the tiers that every harness registers. */
export const TIERS = { default: 3_600_000, brief: 60_000 }

/**
 * A store on a real engine, and what only time, operators and broken lines do to it. An engine whose clock cannot be moved
 * does it to the key instead. Whoever can move it may do that: no case looks at two keys at once.
 */
export type Harness = {
  store: Store
  /** What another process has: connections of its own to the same data. The harness closes it. */
  openStore(of?: { clock?: Clock; wallClockSkewMs?: number }): Promise<Store>
  /** Brings the end of a lease so much closer; below 0 moves it away. */
  ageLease(target: Target, byMs: number): Promise<void>
  /** The record's time to live is over; false = there was none. */
  expireRecord(target: Target): Promise<boolean>
  /**
   * As the console does it: an unknown key, or one whose lease passed, becomes retryable under a higher fence, owned by
   * OPERATOR, in one compare-and-set. False = it was neither.
   */
  release(target: Target): Promise<boolean>
  /** Resolves to what the store said: placed, past, too_long, unknown_route … */
  placeHold(hold: HoldPlacing): Promise<string>
  liftHold(id: string): Promise<string>
  clearHolds(): Promise<void>
  /** A store whose line breaks as it is told to. */
  losing: {
    store: Store
    /** The engine does what this verb asks for the next time, and its reply is lost. */
    loseNextReply(verb: Verb): void
    /** How many replies were lost since. */
    lost(): number
  }
  /** In the order in which the engine made them. Absent = it cannot say; then only what was answered is compared. */
  changesOf?(target: Target): Promise<Change[]>
  close(): Promise<void>
}

let serial = 0
/** A request for a key that no case has used. */
export const freshRequest = (over: Parameters<typeof acquireRequest>[1] = {}) =>
  acquireRequest(`key-${++serial}`, over)

export async function hold(store: Store, request = freshRequest()): Promise<Holder> {
  return holderOf(request, await store.acquire(request))
}

export const LEASE_PASSED_MS = 60_000

/** Somebody holds the key, and another one has taken it over: the first is a zombie. */
export async function takeOver(harness: Harness, zombie: Holder): Promise<Holder> {
  await harness.ageLease(zombie, LEASE_PASSED_MS)
  const request = acquireRequest(zombie.key, { scope: zombie.scope })
  return holderOf(request, await harness.store.acquire(request))
}

export const again = (holder: Holder) => acquireRequest(holder.key, { scope: holder.scope })

export const beginning = (over: Partial<EffectBeginning> = {}): EffectBeginning => ({
  step: 'charge',
  name: 'stripe.charge',
  kind: 'http',
  providerKey: 'p',
  leaseMs: 10_000,
  ...over,
})

export const committed = (reference: string | null = 'ch_1') =>
  ({
    state: 'committed',
    reference,
    amountMinor: 1050n,
    currency: 'USD',
    result: { card: 'visa' },
  }) as const

export const kindOf = async (acquired: Promise<Acquired>) => (await acquired).kind

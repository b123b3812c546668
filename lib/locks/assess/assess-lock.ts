import { durationText } from '@/lib/core/format-figure'
import type { RefusalReason } from '@/lib/core/refusals'
import { type KeyAction, type KeyState, keyAllows, type LockVerdict } from '@/lib/core/states'
import type { StoreCapabilities } from '@/lib/sources/contracts'
import type { KeySettings } from '../settings'
import { type FoundEffect, findEffect } from './found-effect'
import { type HolderLife, holderLife, type LeaseReading, leaseState } from './holder-life'
import type { Candidate, ProviderAnswer } from './provider-answer'

export type AssessInput = LeaseReading & {
  answer: ProviderAnswer
  capabilities: StoreCapabilities
  /** There is a template for the route, and all that it names is known. */
  responseKnown: (effect: FoundEffect) => boolean
  settings: KeySettings
}

export type Assessment = {
  state: KeyState
  verdict: LockVerdict
  /** Why, in plain words. */
  reason: string
  /** What each verb would be refused for; absent = it may be done. */
  refused: Partial<Record<KeyAction, RefusalReason>>
  effect: FoundEffect | null
}

/** The effects that a provider can list as objects of their own; of the others (a capture) a listing proves nothing. */
const LISTED = /\.(charge|refund)$/
/** Candidates that a reason names; the others are beside it. */
const CANDIDATES_SAID = 3

const ALL = ['release', 'complete', 'fail'] as const satisfies readonly KeyAction[]

/** The verdict of a lock: pure, from the lease, the store's clock and the provider's answer. */
export function assessLock(input: AssessInput): Assessment {
  const life = holderLife(input, input.settings)
  const state = life.kind === 'dead' ? 'lease_expired' : leaseState(input.lease, input.storeNow)
  const assessed = withClock(assessEvidence(input, state, life), life)
  const refused: Assessment['refused'] = {}
  const { canRelease, canComplete, canFail } = input.capabilities
  const can: Record<KeyAction, boolean> = { release: canRelease, complete: canComplete, fail: canFail }
  for (const verb of ALL) {
    const reason = keyAllows(state, verb)
      ? assessed.refused[verb]
      : (assessed.refused[verb] ?? 'state_changed')
    if (reason !== undefined) refused[verb] = reason
    else if (!can[verb]) refused[verb] = 'not_supported'
  }
  const offered = assessed.verdict
  if ((offered === 'release' || offered === 'complete') && refused[offered] === 'not_supported') {
    return {
      ...assessed,
      state,
      refused,
      verdict: 'investigate',
      reason: `${assessed.reason} This store does not allow it from here.`,
    }
  }
  return { ...assessed, state, refused }
}

type Assessed = Omit<Assessment, 'state'>

const all = (reason: RefusalReason): Assessment['refused'] => ({
  release: reason,
  complete: reason,
  fail: reason,
})

/** What the evidence says of a lease whose stamps lie in the future is said together with that. */
function withClock(assessed: Assessed, life: HolderLife): Assessed {
  if (life.kind !== 'dead' || life.aheadMs === 0) return assessed
  const finding = `Its stamps lie ${durationText(life.aheadMs)} in the future, so a clock of its store was ahead; nothing renewed it for longer than it lasts.`
  return { ...assessed, reason: `${finding} ${assessed.reason}` }
}

function assessEvidence(input: AssessInput, state: KeyState, life: HolderLife): Assessed {
  const { lease, storeNow, answer } = input
  if (state === 'leased' && lease.leaseless === true) {
    const reason =
      'Leased, no lease: its library sets no time after which a holder counts as dead. It is stuck until it expires.'
    return { verdict: 'investigate', reason, refused: all('not_supported'), effect: null }
  }
  if (life.kind === 'watched') {
    const why =
      life.aheadMs === 0
        ? 'Its lease has passed by a stamp of its holder’s own clock, which proves nothing yet.'
        : `Its stamps lie ${durationText(life.aheadMs)} in the future: a clock of its store was ahead, so its lease says nothing of its holder.`
    const reason = `${why} It counts as dead when nothing renews it for another ${durationText(life.leftMs)}.`
    return { verdict: 'wait', reason, refused: all('clock_ahead'), effect: null }
  }
  if (life.kind === 'alive') {
    const beatMs = Math.max(0, storeNow.getTime() - lease.heartbeatAt.getTime())
    const reason = `Its holder is alive: heartbeat ${durationText(beatMs)} ago.`
    return { verdict: 'wait', reason, refused: all('holder_alive'), effect: null }
  }
  if (life.kind === 'grace') {
    const reason = 'Its lease has just passed: the holder may still renew it.'
    return { verdict: 'wait', reason, refused: all('holder_alive'), effect: null }
  }
  switch (answer.kind) {
    case 'found':
      return assessFound(input, state, answer.objects)
    case 'not_asked': {
      const reason = 'The provider was not asked about it yet: others come first, the oldest before all.'
      return { verdict: 'investigate', reason, refused: all('provider_unreachable'), effect: null }
    }
    case 'unreachable': {
      const reason = 'The provider cannot be asked, so nobody knows whether the effect happened.'
      return { verdict: 'investigate', reason, refused: all('provider_unreachable'), effect: null }
    }
    case 'not_settled': {
      const reason = `It is too early: a call that began while the key was held may still be under way, or not be in the provider's listing yet. It can be told from ${answer.settlesAt.slice(11, 19)} UTC on.`
      return { verdict: 'wait', reason, refused: all('evidence_unsettled'), effect: null }
    }
    case 'possible': {
      const reason = possibleText(answer)
      return { verdict: 'investigate', reason, refused: all('effect_possible'), effect: null }
    }
    case 'no_provider':
    case 'none':
      return assessNone(input, state)
    default:
      return answer satisfies never
  }
}

function possibleText({ objects, count }: { objects: readonly Candidate[]; count: number }): string {
  const names = objects.slice(0, CANDIDATES_SAID).map(({ id }) => id)
  const more = count > names.length ? ` and ${count - names.length} more` : ''
  const payments = objects.every(({ kind }) => kind === 'payment')
  return payments
    ? `${names.join(', ')}${more} is still open at the provider: a charge may yet be made under it. Cancel it there, or wait for its end.`
    : `The provider has ${names.join(', ')}${more} from the time of this key, without a key in the metadata: it could be this one's effect. Look at it there, and set its metadata to the key that it belongs to.`
}

/** The provider has objects of this key. */
function assessFound(
  input: AssessInput,
  state: KeyState,
  objects: readonly { id: string; status: string }[],
): Assessed {
  const found = findEffect(input.lease, input.answer)
  switch (found.kind) {
    case 'pending':
      return {
        verdict: 'wait',
        reason: `The provider is still working on ${found.id}.`,
        refused: all('evidence_unsettled'),
        effect: null,
      }
    case 'ambiguous':
      return {
        verdict: 'investigate',
        reason: `${found.why} A person has to look at ${objects.map((object) => object.id).join(', ')}.`,
        refused: all('effect_ambiguous'),
        effect: null,
      }
    case 'failed':
      return assessNone(input, state)
    case 'one': {
      const { effect } = found
      if (input.responseKnown(effect)) {
        const reason = `The provider has ${effect.id}: the effect happened, and the answer can be recovered.`
        return {
          verdict: 'complete',
          reason,
          refused: { release: 'effect_found', fail: 'effect_found' },
          effect,
        }
      }
      const reason = `The provider has ${effect.id}, but what the handler would have answered is not known.`
      const refused = { release: 'effect_found', complete: 'response_unknown', fail: 'effect_found' } as const
      return { verdict: 'investigate', reason, refused, effect }
    }
    default:
      return found satisfies never
  }
}

/** No effect is known at the provider: a retry may run, if the provider would answer a late call with the same object. */
function assessNone(input: AssessInput, state: KeyState): Assessed {
  const { lease, answer, capabilities, settings } = input
  if (state === 'retryable') {
    const reason = 'Nobody holds it: the next retry runs it again.'
    return {
      verdict: 'wait',
      reason,
      refused: { complete: 'no_effect', ...failRefusal(input) },
      effect: null,
    }
  }
  const begun = lease.effects.filter((effect) => effect.state !== 'failed')
  if (answer.kind === 'no_provider' && (begun.length > 0 || capabilities.recordsEffects !== true)) {
    const reason =
      begun.length > 0
        ? 'An effect was begun, and no provider is connected that could be asked about it.'
        : 'Its store does not record what was begun, and no provider is connected that could be asked.'
    return { verdict: 'investigate', reason, refused: all('provider_unreachable'), effect: null }
  }
  if (!capabilities.providerKeyed || begun.some((effect) => effect.providerKey === null)) {
    const reason = 'Its calls carry no key of the provider: a holder that comes back late could do it twice.'
    return { verdict: 'investigate', reason, refused: { ...all('not_provider_keyed') }, effect: null }
  }
  const firstAt = Math.min(lease.createdAt.getTime(), ...begun.map((effect) => effect.begunAt.getTime()))
  if (firstAt + settings.providerWindowMs <= input.storeNow.getTime()) {
    const reason = 'The provider has forgotten its key by now: running it again could do it twice.'
    return { verdict: 'investigate', reason, refused: all('window_passed'), effect: null }
  }
  const reason = !absenceProven(input)
    ? 'Its holder is dead. Whether the provider has something of it cannot be told by a hash of its key; a call that is made again is answered with the same object: a retry can run it safely.'
    : answer.kind === 'none'
      ? 'Its holder is dead and the provider has nothing of it: a retry can run it safely.'
      : 'Its holder is dead and no effect was begun or left standing: a retry can run it safely.'
  return {
    verdict: 'release',
    reason,
    refused: { complete: 'no_effect', ...failRefusal(input) },
    effect: null,
  }
}

/** Objects that carry another key count as others': of a key that is a hash, they may be its own under the caller's. */
const absenceProven = ({ lease, answer }: AssessInput): boolean =>
  answer.kind !== 'none' || lease.hashedKey !== true

/**
 * "It did not happen" may be stored only where that is proven: nothing of it is done, and everything that was begun is of
 * a kind that the provider lists.
 */
function failRefusal(input: AssessInput): { fail?: RefusalReason } {
  const { lease, answer, capabilities } = input
  if (lease.effects.some(({ state }) => state === 'committed')) return { fail: 'effect_found' }
  const open = lease.effects.filter(({ state }) => state !== 'failed')
  if (!absenceProven(input)) return { fail: 'evidence_unsettled' }
  const proven =
    answer.kind === 'none'
      ? open.every(({ name }) => LISTED.test(name))
      : open.length === 0 && capabilities.recordsEffects === true
  return proven ? {} : { fail: 'evidence_unsettled' }
}

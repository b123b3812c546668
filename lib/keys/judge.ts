import type { RefusalReason } from '@/lib/core/refusals'
import { type KeyAction, type KeyState, keyAllows, type LockVerdict } from '@/lib/core/states'
import type { LeaseRow, StoreCapabilities } from '@/lib/sources/contracts'
import { type FoundEffect, findEffect } from './found-effect'
import type { ProviderAnswer } from './provider-answer'
import type { KeySettings } from './settings'

export type JudgeInput = {
  lease: LeaseRow
  /** The store's clock, when the lease was read. */
  storeNow: Date
  answer: ProviderAnswer
  capabilities: StoreCapabilities
  /** There is a template for the route, and all that it names is known. */
  responseKnown: (effect: FoundEffect) => boolean
  settings: KeySettings
}

export type Judgement = {
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

const ALL = ['release', 'complete', 'fail'] as const satisfies readonly KeyAction[]

export const leaseState = (lease: LeaseRow, storeNow: Date): KeyState =>
  lease.state !== 'leased' ? lease.state : lease.leaseUntil <= storeNow ? 'lease_expired' : 'leased'

/** The verdict of a lock: pure, from the lease, the store's clock and the provider's answer. */
export function judge(input: JudgeInput): Judgement {
  const state = leaseState(input.lease, input.storeNow)
  const judged = judgeEvidence(input, state)
  const refused: Judgement['refused'] = {}
  const { canRelease, canComplete, canFail } = input.capabilities
  const can: Record<KeyAction, boolean> = { release: canRelease, complete: canComplete, fail: canFail }
  for (const verb of ALL) {
    const reason = keyAllows(state, verb) ? judged.refused[verb] : (judged.refused[verb] ?? 'state_changed')
    if (reason !== undefined) refused[verb] = reason
    else if (!can[verb]) refused[verb] = 'not_supported'
  }
  const offered = judged.verdict
  if ((offered === 'release' || offered === 'complete') && refused[offered] === 'not_supported') {
    return {
      ...judged,
      state,
      refused,
      verdict: 'investigate',
      reason: `${judged.reason} This store does not allow it from here.`,
    }
  }
  return { ...judged, state, refused }
}

type Judged = Omit<Judgement, 'state'>

const all = (reason: RefusalReason): Judgement['refused'] => ({
  release: reason,
  complete: reason,
  fail: reason,
})

function judgeEvidence(input: JudgeInput, state: KeyState): Judged {
  const { lease, storeNow, answer, settings } = input
  if (state === 'leased' && lease.leaseless === true) {
    const reason =
      'Leased, no lease: its library sets no time after which a holder counts as dead. It is stuck until it expires.'
    return { verdict: 'investigate', reason, refused: all('not_supported'), effect: null }
  }
  if (state === 'leased') {
    const reason = `Its holder is alive: heartbeat ${seconds(storeNow, lease.heartbeatAt)} ago.`
    return { verdict: 'wait', reason, refused: all('holder_alive'), effect: null }
  }
  if (state === 'lease_expired' && lease.leaseUntil.getTime() + settings.graceMs > storeNow.getTime()) {
    const reason = 'Its lease has just passed: the holder may still renew it.'
    return { verdict: 'wait', reason, refused: all('holder_alive'), effect: null }
  }
  switch (answer.kind) {
    case 'found':
      return judgeFound(input, answer.objects)
    case 'not_asked':
    case 'unreachable': {
      const reason = 'The provider cannot be asked, so nobody knows whether the effect happened.'
      return { verdict: 'investigate', reason, refused: all('provider_unreachable'), effect: null }
    }
    case 'not_settled': {
      const reason = 'It is too early: what the provider did may not be in its listing yet.'
      return { verdict: 'wait', reason, refused: all('evidence_unsettled'), effect: null }
    }
    case 'no_provider':
    case 'none':
      return judgeNone(input, state)
    default:
      return answer satisfies never
  }
}

/** The provider has objects of this key. */
function judgeFound(input: JudgeInput, objects: readonly { id: string; status: string }[]): Judged {
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
      return judgeNone(input, leaseState(input.lease, input.storeNow))
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
function judgeNone(input: JudgeInput, state: KeyState): Judged {
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
  if (answer.kind === 'no_provider' && begun.length > 0) {
    const reason = 'An effect was begun, and no provider is connected that could be asked about it.'
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
  const reason =
    answer.kind === 'none'
      ? 'Its holder is dead and the provider has nothing of it: a retry can run it safely.'
      : 'Its holder is dead and no effect was begun or left standing: a retry can run it safely.'
  return {
    verdict: 'release',
    reason,
    refused: { complete: 'no_effect', ...failRefusal(input) },
    effect: null,
  }
}

/** "It failed" may be stored only where that is proven: everything begun is of a kind that the provider lists. */
function failRefusal({ lease, answer }: JudgeInput): { fail?: RefusalReason } {
  const open = lease.effects.filter((effect) => effect.state !== 'failed')
  const proven =
    open.length === 0 || (answer.kind === 'none' && open.every((effect) => LISTED.test(effect.name)))
  return proven ? {} : { fail: 'evidence_unsettled' }
}

const seconds = (now: Date, then: Date): string =>
  `${Math.max(0, Math.round((now.getTime() - then.getTime()) / 1000))} s`

/** Why a verb was not carried out. Nothing was changed. */
export const REFUSAL_TEXT = {
  holder_alive: 'Its holder is alive.',
  fence_changed: 'Its fencing token changed: another holder has it.',
  state_changed: 'Its state changed since you looked.',
  steps_changed: 'A step of it began or ended since you looked.',
  clock_ahead:
    'Its stamps are of a clock that proves nothing, so its holder has to be watched for the length of its lease first.',
  gone: 'It is gone: it ended since you looked.',
  answered_by_cache:
    'The cache still answers this key as finished, and PostgreSQL does not have that record: a restore or a failover lost it.',
  evidence_changed: 'The provider answers differently than when you looked.',
  evidence_unsettled: 'It is not settled yet what the provider did.',
  window_passed: "The provider's idempotency window has passed.",
  not_provider_keyed: 'Its calls carry no idempotency key of the provider.',
  provider_unreachable: 'The provider cannot be asked.',
  response_unknown: 'What the handler would have answered cannot be recovered.',
  effect_found: 'The effect happened: complete it instead.',
  effect_possible: 'The provider has something without a key that could be its effect.',
  effect_ambiguous: 'The provider has more than one thing for it.',
  no_effect: 'No effect is known that it could be completed with.',
  not_supported: 'This store does not allow it.',
  store_unreachable: 'The store cannot be read or written.',
  took_too_long: 'Reading the evidence took too long: nothing was changed.',
} as const

export type RefusalReason = keyof typeof REFUSAL_TEXT

/** Refusals that another try may end otherwise. */
const RETRYABLE: Record<RefusalReason, boolean> = {
  holder_alive: false,
  fence_changed: false,
  state_changed: false,
  steps_changed: true,
  clock_ahead: true,
  gone: false,
  answered_by_cache: false,
  evidence_changed: true,
  evidence_unsettled: true,
  window_passed: false,
  not_provider_keyed: false,
  provider_unreachable: true,
  response_unknown: false,
  effect_found: false,
  effect_possible: true,
  effect_ambiguous: false,
  no_effect: false,
  not_supported: false,
  store_unreachable: true,
  took_too_long: true,
}

export const isRetryable = (reason: string | null): boolean =>
  reason !== null && Object.hasOwn(RETRYABLE, reason) && RETRYABLE[reason as RefusalReason]

import type { OtlpSpan } from '../decode/span'
import { hexId, integer, text } from './attributes'
import { readKeyHash } from './request'

export type EffectFact = {
  name: string
  step: string
  kind: string | null
  /** '' when the sender named none */
  effectId: string
  keyHash: string
  /** null when the span does not say: found by its trace or its key */
  scope: string | null
  outcome: 'committed' | 'unknown' | 'failed' | 'skipped'
  amountMinor: bigint | null
  currency: string | null
}

const OUTCOMES: readonly string[] = ['committed', 'unknown', 'failed', 'skipped']
const isOutcome = (value: unknown): value is EffectFact['outcome'] =>
  typeof value === 'string' && OUTCOMES.includes(value)

/** A side effect: a span with `idempotency.effect.name` and its key. Without an outcome it is unknown. */
export function readEffect(span: OtlpSpan, hash: (key: string) => string): EffectFact | null {
  const { attributes } = span
  const name = text(attributes, 'idempotency.effect.name', 128)
  if (name === null) return null
  const keyHash = hexId(attributes, 'idempotency.effect.key.hash', 16) ?? readKeyHash(attributes, hash)
  if (keyHash === null) return null
  const sent = attributes['idempotency.effect.outcome']
  const currency = text(attributes, 'idempotency.effect.currency', 8)
  return {
    name,
    step: text(attributes, 'idempotency.effect.step', 256) ?? '',
    kind: text(attributes, 'idempotency.effect.kind', 32),
    effectId: text(attributes, 'idempotency.effect.id', 256) ?? '',
    keyHash,
    scope: text(attributes, 'idempotency.scope.name') ?? text(attributes, 'idempotency.effect.scope.name'),
    outcome: isOutcome(sent) ? sent : 'unknown',
    amountMinor: integer(attributes, 'idempotency.effect.amount'),
    currency: currency === null ? null : currency.toUpperCase(),
  }
}

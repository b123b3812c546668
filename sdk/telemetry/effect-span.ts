import { type Attributes, context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { EffectKind } from '../stores/store'
import { getInstruments, tracer } from './instruments'

export type EffectOutcome = 'committed' | 'skipped' | 'failed' | 'unknown'

export type EffectFacts = {
  name: string
  step: string
  kind: EffectKind
  /** What joins it to its request; the hash is null for an unkeyed one. */
  scope: string
  keyHash: string | null
  /** The request's, for where no context manager carries the active span this far. */
  parent: Span
}

type EffectReading = {
  outcome: EffectOutcome
  reference?: string | null
  amountMinor?: bigint | null
  currency?: string | null
}

export type EffectSpan = {
  run<T>(call: () => Promise<T>): Promise<T>
  end(reading: EffectReading, error?: unknown): void
}

/** The client span of one side effect. */
export function startEffectSpan({ name, step, kind, scope, keyHash, parent }: EffectFacts): EffectSpan {
  const active = context.active()
  const above = trace.getSpan(active) === undefined ? trace.setSpan(active, parent) : active
  const options = {
    kind: SpanKind.CLIENT,
    attributes: {
      'idempotency.scope.name': scope,
      'idempotency.effect.name': name,
      'idempotency.effect.step': step,
      'idempotency.effect.kind': kind,
      'idempotency.effect.transactional': false,
      ...(keyHash === null ? {} : { 'idempotency.effect.key.hash': keyHash }),
    },
  }
  const span = tracer().startSpan(name, options, above)
  return {
    run: (call) => context.with(trace.setSpan(above, span), call),
    end(reading, error) {
      span.setAttributes(readingAttributes(reading))
      if (error !== undefined) {
        span.recordException(error instanceof Error ? error : String(error))
        span.setStatus({ code: SpanStatusCode.ERROR })
      }
      span.end()
      getInstruments().effects.add(1, {
        'idempotency.effect.name': name,
        'idempotency.effect.outcome': reading.outcome,
      })
    },
  }
}

function readingAttributes({ outcome, reference, amountMinor, currency }: EffectReading): Attributes {
  return {
    'idempotency.effect.outcome': outcome,
    ...(reference ? { 'idempotency.effect.id': reference } : {}),
    ...(amountMinor === undefined || amountMinor === null
      ? {}
      : { 'idempotency.effect.amount': amountAttribute(amountMinor) }),
    ...(currency ? { 'idempotency.effect.currency': currency } : {}),
  }
}

// Attributes are doubles: an amount beyond 2^53 travels as its decimal text.
function amountAttribute(amountMinor: bigint): number | string {
  const number = Number(amountMinor)
  return Number.isSafeInteger(number) ? number : amountMinor.toString()
}

import { createHmac } from 'node:crypto'
import type { Clock } from '@/lib/core/clock'
import type { Db } from '@/lib/db'
import { type AttributeValue, emptyAttributes, type OtlpSpan } from '@/lib/telemetry/decode/span'
import { renderSpans } from '@/lib/telemetry/ingest/render-spans'
import { storeBatch } from '@/lib/telemetry/ingest/store-batch'
import { interpret } from '@/lib/telemetry/interpret/interpret'

export const hash = (key: string) => createHmac('sha256', 'test').update(key).digest('hex').slice(0, 32)

type SpanParts = {
  traceId: string
  spanId: string
  at: Date
  durationMs: number
  kind: number
  attributes: Record<string, AttributeValue>
  service?: string
  version?: string
  name?: string
}

export function span(parts: SpanParts): OtlpSpan {
  const startNs = BigInt(parts.at.getTime()) * 1_000_000n
  return {
    traceId: parts.traceId,
    spanId: parts.spanId,
    parentSpanId: '',
    name: parts.name ?? 'span',
    kind: parts.kind,
    startNs,
    endNs: startNs + BigInt(parts.durationMs) * 1_000_000n,
    statusCode: 0,
    statusMessage: '',
    attributes: Object.assign(emptyAttributes(), parts.attributes),
    events: [],
    links: [],
    resource: Object.assign(emptyAttributes(), {
      'service.name': parts.service ?? 'payments',
      'service.version': parts.version ?? '1.0.0',
      'deployment.environment.name': 'test',
    }),
  }
}

export type RequestParts = {
  traceId: string
  spanId: string
  at: Date
  durationMs?: number
  key: string
  scope?: string
  outcome: string
  state?: string
  createdAt?: Date
  expiresAt?: Date
  storeOperations?: number
  storeErrors?: number
  service?: string
  version?: string
}

export function requestSpan(parts: RequestParts): OtlpSpan {
  const scope = parts.scope ?? 'web/POST /v1/payments'
  return span({
    ...parts,
    durationMs: parts.durationMs ?? 10,
    kind: 2,
    attributes: {
      'http.request.method': 'POST',
      'http.route': '/v1/payments',
      'http.response.status_code': 201,
      'idempotency.scope.name': scope,
      'idempotency.key.hash': hash(parts.key),
      'idempotency.outcome': parts.outcome,
      'idempotency.store.operations': parts.storeOperations ?? 2,
      'idempotency.store.errors': parts.storeErrors ?? 0,
      ...(parts.state === undefined ? {} : { 'idempotency.record.state': parts.state }),
      ...(parts.createdAt === undefined
        ? {}
        : { 'idempotency.record.created_at': parts.createdAt.toISOString() }),
      ...(parts.expiresAt === undefined
        ? {}
        : { 'idempotency.record.expires_at': parts.expiresAt.toISOString() }),
    },
  })
}

export type EffectParts = {
  traceId: string
  spanId: string
  at: Date
  key: string
  scope?: string
  effectId: string
  outcome?: string
  step?: string
  name?: string
  amount?: number
  service?: string
  version?: string
}

export function effectSpan(parts: EffectParts): OtlpSpan {
  return span({
    ...parts,
    durationMs: 5,
    kind: 3,
    attributes: {
      'idempotency.scope.name': parts.scope ?? 'web/POST /v1/payments',
      'idempotency.effect.name': parts.name ?? 'stripe.charge',
      'idempotency.effect.step': parts.step ?? 'charge',
      'idempotency.effect.kind': 'http',
      'idempotency.effect.id': parts.effectId,
      'idempotency.effect.key.hash': hash(parts.key),
      'idempotency.effect.outcome': parts.outcome ?? 'committed',
      'idempotency.effect.amount': parts.amount ?? 1050,
      'idempotency.effect.currency': 'usd',
    },
  })
}

/** What the receiver does between decoding and answering. */
export async function store(db: Db, clock: Clock, spans: OtlpSpan[]): Promise<number> {
  const rejections = new Map<string, number>()
  const accepted = interpret(spans, clock, hash, rejections)
  if (rejections.size > 0) throw new Error([...rejections.keys()].join('; '))
  return (await storeBatch(db, [await renderSpans(accepted, clock.now())], clock.now())).inserted
}

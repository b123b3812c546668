import type { Clock } from '@/lib/core/clock'
import { type OtlpSpan, type Rejections, reject } from '../decode/span'
import { FUTURE_MAX_MS, LATE_MAX_MS } from '../retention'
import { type DeliveryFact, readDelivery } from './delivery'
import { type EffectFact, readEffect } from './effect'
import { type RequestFact, readRequest } from './request'

export type AcceptedSpan = {
  span: OtlpSpan
  request: RequestFact | null
  effect: EffectFact | null
  delivery: DeliveryFact | null
}

const NS_PER_MS = 1_000_000n
const ZEROS = /^0+$/

/** Checks each span by itself: one bad span does not cost the others. */
export function interpret(
  spans: readonly OtlpSpan[],
  clock: Clock,
  hash: (key: string) => string,
  rejections: Rejections,
): AcceptedSpan[] {
  const nowMs = clock.now().getTime()
  const accepted: AcceptedSpan[] = []
  for (const span of spans) {
    const reason = faultOf(span, nowMs)
    if (reason === null)
      accepted.push({
        span,
        request: readRequest(span, hash),
        effect: readEffect(span, hash),
        delivery: readDelivery(span, hash),
      })
    else reject(rejections, reason)
  }
  resolveScopes(accepted)
  return accepted
}

function faultOf(span: OtlpSpan, nowMs: number): string | null {
  if (span.traceId.length !== 32 || ZEROS.test(span.traceId)) return 'trace_id is not 16 bytes, or is zero'
  if (span.spanId.length !== 16 || ZEROS.test(span.spanId)) return 'span_id is not 8 bytes, or is zero'
  if (span.startNs <= 0n) return 'start_time_unix_nano is missing'
  const startMs = Number(span.startNs / NS_PER_MS)
  if (startMs < nowMs - LATE_MAX_MS) return `it started more than ${LATE_MAX_MS / 86_400_000} days ago`
  if (startMs > nowMs + FUTURE_MAX_MS)
    return `it starts more than ${FUTURE_MAX_MS / 86_400_000} day in the future`
  if (Number(span.endNs / NS_PER_MS) > nowMs + FUTURE_MAX_MS) return 'it ends too far in the future'
  return null
}

/** An effect span need not repeat its scope: the request span of its trace has it. */
function resolveScopes(accepted: readonly AcceptedSpan[]): void {
  const open = accepted.filter((each) => each.effect !== null && each.effect.scope === null)
  if (open.length === 0) return
  const scopes = new Map<string, string>()
  for (const { span, request } of accepted) {
    if (request?.keyHash) scopes.set(`${span.traceId}/${request.keyHash}`, request.scope)
  }
  for (const { span, effect } of open) {
    if (effect) effect.scope = scopes.get(`${span.traceId}/${effect.keyHash}`) ?? null
  }
}

import type { SystemContext } from '@/lib/context'
import type { JsonValue } from '@/lib/core/json-value'
import { redactAttributes } from '@/lib/core/redact-json'
import type { KeyEffect } from '@/lib/telemetry/read/effects/key-effects'
import type { KeyedRequest } from '@/lib/telemetry/read/requests/keyed-requests'
import { readSpan } from '@/lib/telemetry/read/traces/request-span'

/** Outcomes of attempts that ran the handler: what may have had an effect. */
const RAN: ReadonlySet<string> = new Set(['executed', 'takeover', 'bypassed', 'stale'])
const ran = ({ outcome }: KeyedRequest): boolean => RAN.has(outcome)

/** `place`: among all attempts of the key, from 0. */
export type NumberedAttempt = { request: KeyedRequest; place: number; effects: KeyEffect[] }

/**
 * At most `max` attempts in order of time, those that ran before those that were only answered. An effect belongs to the
 * first of its trace that it lies within.
 */
export function attemptsWithEffects(
  requests: readonly KeyedRequest[],
  effects: readonly KeyEffect[],
  max: number,
): NumberedAttempt[] {
  const numbered = requests.map((request, place) => ({ request, place }))
  const chosen = [
    ...numbered.filter(({ request }) => ran(request)),
    ...numbered.filter(({ request }) => !ran(request)),
  ].slice(0, max)
  const placed = new Set<KeyEffect>()
  return chosen
    .sort((a, b) => a.place - b.place)
    .map(({ request, place }) => {
      const own = effects.filter(
        (effect) =>
          !placed.has(effect) && effect.traceIds.includes(request.traceId) && isWithin(effect, request),
      )
      for (const effect of own) placed.add(effect)
      return { request, place, effects: own }
    })
}

const SLACK_MS = 1_000
const isWithin = (effect: KeyEffect, { time, endTime }: KeyedRequest): boolean =>
  effect.time.getTime() >= time.getTime() - SLACK_MS && effect.time.getTime() <= endTime.getTime() + SLACK_MS

/** Which two are put side by side unless the person chose: the first that ran, and the next that ran or was refused. */
export function defaultPair(requests: readonly KeyedRequest[]): [KeyedRequest, KeyedRequest] | null {
  const a = requests.find(ran) ?? requests[0]
  if (a === undefined) return null
  const later = requests.filter((each) => each !== a)
  const b = later.find((each) => ran(each) || each.outcome === 'mismatch') ?? later[0]
  return b === undefined ? null : [a, b]
}

type Attributes = Record<string, JsonValue>

/** The attributes of an attempt's request span, redacted; null = spans of that time are kept no more. */
export async function readRequestAttributes(
  ctx: SystemContext,
  request: KeyedRequest,
): Promise<Attributes | null> {
  const span = await readSpan(ctx.db, request)
  return span === null ? null : redactAttributes(span.attributes)
}

/** Attributes that every request differs in, and that say nothing of what was asked. */
const NOISE =
  /^(idempotency\.(lock|record|attempt|outcome|original|store|fingerprint|effect)|http\.response\.|net\.|network\.|client\.port|server\.port)/

/** Names of what was asked for in two requests, in order. */
export const askedAttributes = (a: Attributes, b: Attributes): string[] =>
  [...new Set([...Object.keys(a), ...Object.keys(b)])].sort().filter((name) => !NOISE.test(name))

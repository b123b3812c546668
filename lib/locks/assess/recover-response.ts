import type { ResponseTemplate, StoredResponse } from '@/lib/sources/contracts'
import type { FoundEffect } from './found-effect'

const PLACEHOLDER = /\{\{\s*([\w.]+)\s*\}\}/g

/**
 * The response that the handler would have stored, from its route's template. Placeholders: `effect.reference`,
 * `effect.referenceSuffix` (without `ch_`), `effect.paymentIntent`, `effect.parent`, `effect.parentSuffix`,
 * `effect.status` (`succeeded` or `requires_capture`), `result.<field>` of the recorded step, `reference`,
 * `amountMinor`, `currency`, `key`. A body that is a string is the exact text of the answer (a JSON object loses its
 * order in the database). Null when a placeholder is not known: then nobody may complete it.
 */
export function recoverResponse(
  template: ResponseTemplate | undefined,
  effect: FoundEffect,
  key: string,
): StoredResponse | null {
  if (template === undefined) return null
  const values = placeholders(effect, key)
  let complete = true
  const text = typeof template.body === 'string' ? template.body : JSON.stringify(template.body)
  const body = text.replaceAll(PLACEHOLDER, (_, name: string) => {
    const value = values(name)
    if (value === null) complete = false
    // Within a JSON string: escaped, without its quotes.
    return JSON.stringify(value ?? '').slice(1, -1)
  })
  return complete ? { status: template.status, headers: { ...template.headers }, body } : null
}

function placeholders(effect: FoundEffect, key: string): (name: string) => string | null {
  const known: Record<string, string | null> = {
    'effect.reference': effect.id,
    'effect.referenceSuffix': suffix(effect.id),
    'effect.paymentIntent': effect.kind === 'charge' ? effect.parent : null,
    'effect.parent': effect.parent,
    'effect.parentSuffix': effect.parent === null ? null : suffix(effect.parent),
    'effect.status': effect.kind === 'charge' && !effect.captured ? 'requires_capture' : 'succeeded',
    reference: effect.reference,
    amountMinor: effect.amount.minor,
    currency: effect.amount.currency,
    key,
  }
  return (name) => {
    if (name.startsWith('result.')) return scalar(effect.result, name.slice('result.'.length))
    return known[name] ?? null
  }
}

const suffix = (id: string): string => id.slice(id.indexOf('_') + 1)

function scalar(result: unknown, field: string): string | null {
  const value = result !== null && typeof result === 'object' ? Reflect.get(result, field) : undefined
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null
}

/** What is stored for a key that an operator failed: it is replayed to whoever retries. */
export function failedResponse(actionId: string): StoredResponse {
  const body = JSON.stringify({
    type: 'about:blank',
    title: 'The operation was ended without effect',
    status: 410,
    detail: 'It did not happen and will not. Send a new request with a new key to try again.',
    actionId,
  })
  return { status: 410, headers: { 'content-type': 'application/problem+json' }, body }
}

/** `POST /v1/payments` of `web/POST /v1/payments`. */
export const endpointOf = (scope: string): string => scope.slice(scope.indexOf('/') + 1)

import Stripe from 'stripe'
import { apiVersion } from '../provider/api-version'

/** Shorter than the execution deadline, so that a slow provider is noticed before it. */
const timeoutMs = 6000

export function connectStripe(port: number, apiKey: string): Stripe {
  return new Stripe(apiKey, {
    apiVersion,
    host: '127.0.0.1',
    port,
    protocol: 'http',
    timeout: timeoutMs,
    maxNetworkRetries: 0,
    telemetry: false,
  })
}

/**
 * An answer of the provider that says that nothing happened, since the client sends each request once: after a retry of its
 * own, a rate limit or a refused key would say nothing about the first.
 */
const nothingHappened = [
  Stripe.errors.StripeCardError,
  Stripe.errors.StripeInvalidRequestError,
  Stripe.errors.StripeRateLimitError,
  Stripe.errors.StripePermissionError,
  Stripe.errors.StripeAuthenticationError,
] as const

/** Tells a refusal from a call whose end nobody knows: only the former may be tried again. */
export function refusedByProvider(error: unknown): boolean {
  return nothingHappened.some((kind) => error instanceof kind)
}

export function chargeIdOf(intent: Stripe.PaymentIntent): string {
  if (typeof intent.latest_charge !== 'string') throw new Error(`payment intent ${intent.id} has no charge`)
  return intent.latest_charge
}

import { exponentOf } from '@/lib/core/money'

/** Where Stripe's smallest unit is not ISO 4217's: https://docs.stripe.com/currencies#special-cases */
const STRIPE_EXPONENT: Record<string, number> = { ISK: 2, UGX: 2, MGA: 0 }

/** Stripe's integer amount in ISO minor units. Throws when it does not come out even. */
export function fromStripeAmount(
  amount: number,
  stripeCurrency: string,
): { minor: bigint; currency: string } {
  if (!Number.isSafeInteger(amount))
    throw new Error(`Stripe sent an amount that is no safe integer: ${amount}`)
  const currency = stripeCurrency.toUpperCase()
  const shift = exponentOf(currency) - (STRIPE_EXPONENT[currency] ?? exponentOf(currency))
  return { minor: scale(BigInt(amount), shift, currency), currency }
}

/** ISO minor units as Stripe's integer amount. */
export function toStripeAmount(minor: bigint, currency: string): number {
  const shift = (STRIPE_EXPONENT[currency] ?? exponentOf(currency)) - exponentOf(currency)
  const amount = Number(scale(minor, shift, currency))
  if (!Number.isSafeInteger(amount)) throw new Error(`${minor} ${currency} is beyond what Stripe takes`)
  return amount
}

function scale(value: bigint, shift: number, currency: string): bigint {
  if (shift >= 0) return value * 10n ** BigInt(shift)
  const divisor = 10n ** BigInt(-shift)
  if (value % divisor !== 0n) throw new Error(`${value} is not a whole number of minor units of ${currency}`)
  return value / divisor
}

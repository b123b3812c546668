import { exponentOf } from '@/lib/core/money'

/** Where Stripe's smallest unit is not ISO 4217's: https://docs.stripe.com/currencies#special-cases */
const STRIPE_EXPONENT: Record<string, number> = { ISK: 2, UGX: 2, MGA: 0 }

/** What no amount can be made of; such an object is set apart, never rounded or guessed. */
export class AmountError extends Error {}

/** Of a currency that nobody knows the decimals are not known either. */
const CURRENCIES: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** Stripe's integer amount in ISO minor units. Throws AmountError. */
export function fromStripeAmount(
  amount: number,
  stripeCurrency: string,
): { minor: bigint; currency: string } {
  if (!Number.isSafeInteger(amount))
    throw new AmountError(`Stripe sent an amount that is no safe integer: ${amount}`)
  const currency = stripeCurrency.toUpperCase()
  if (!CURRENCIES.has(currency)) throw new AmountError(`the decimals of ${stripeCurrency} are not known`)
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
  if (value % divisor !== 0n) {
    throw new AmountError(`${value} is not a whole number of minor units of ${currency}`)
  }
  return value / divisor
}

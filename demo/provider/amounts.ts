import { invalid } from './failures'

/** Shown with two decimals that must be 00, though they have none. */
const wholeOnly = new Set(['isk', 'ugx'])

/** Currencies whose smallest unit is not a hundredth, by Stripe's rules: https://docs.stripe.com/currencies */
const exponents: Readonly<Record<string, number>> = {
  jpy: 0,
  krw: 0,
  clp: 0,
  vnd: 0,
  kwd: 3,
  bhd: 3,
  jod: 3,
  omr: 3,
  tnd: 3,
}
const supported = new Set([
  ...Object.keys(exponents),
  ...wholeOnly,
  'usd',
  'eur',
  'gbp',
  'chf',
  'sek',
  'cad',
  'aud',
])

/** Stripe refuses amounts of more than eight digits. */
const amountMax = 99_999_999

export function parseCurrency(currency: string): string {
  const lower = currency.toLowerCase()
  if (!supported.has(lower)) throw invalid(`Invalid currency: ${currency}`, 'currency')
  return lower
}

/** An amount in the currency's smallest unit; three-decimal amounts must end in 0, as Stripe wants. */
export function parseAmount(text: string, currency: string, param = 'amount'): number {
  if (!/^\d{1,12}$/.test(text)) throw invalid(`Invalid integer: ${text}`, param, 'parameter_invalid_integer')
  const amount = Number(text)
  if (amount < 1)
    throw invalid('This value must be greater than or equal to 1.', param, 'parameter_invalid_integer')
  if (amount > amountMax) throw invalid(`Amount must be no more than ${amountMax}`, param, 'amount_too_large')
  if (wholeOnly.has(currency) && amount % 100 !== 0) {
    throw invalid(`Invalid amount. ${currency} has no decimals, so the amount must end in 00.`, param)
  }
  if (exponents[currency] === 3 && amount % 10 !== 0) {
    throw invalid(
      `Invalid amount. The last digit of an amount in ${currency} must be 0, because it has three decimals.`,
      param,
    )
  }
  return amount
}

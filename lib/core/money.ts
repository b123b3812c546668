/** An amount in the currency's minor unit, and its ISO 4217 code in upper case. */
export type Money = { minor: bigint; currency: string }

/** ISO 4217 exponents that are not 2. */
const EXPONENT: Record<string, number> = {
  BIF: 0,
  CLP: 0,
  DJF: 0,
  GNF: 0,
  ISK: 0,
  JPY: 0,
  KMF: 0,
  KRW: 0,
  PYG: 0,
  RWF: 0,
  UGX: 0,
  UYI: 0,
  VND: 0,
  VUV: 0,
  XAF: 0,
  XOF: 0,
  XPF: 0,
  BHD: 3,
  IQD: 3,
  JOD: 3,
  KWD: 3,
  LYD: 3,
  OMR: 3,
  TND: 3,
  CLF: 4,
  UYW: 4,
}

/** JSON form: the amount is a decimal string, exact beyond 2^53. */
export type MoneyJson = { minor: string; currency: string }

export const moneyToJson = (money: Money): MoneyJson => ({
  minor: money.minor.toString(),
  currency: money.currency,
})

export const exponentOf = (currency: string): number => EXPONENT[currency] ?? 2

/** Decimal text in major units, e.g. 12500 KWD → "12.500". No grouping, no symbol, exact. */
export function majorText(money: Money | MoneyJson): string {
  const exponent = exponentOf(money.currency)
  const minor = BigInt(money.minor)
  const negative = minor < 0n
  const digits = (negative ? -minor : minor).toString().padStart(exponent + 1, '0')
  const whole = digits.slice(0, digits.length - exponent)
  const fraction = exponent === 0 ? '' : `.${digits.slice(-exponent)}`
  return `${negative ? '-' : ''}${whole}${fraction}`
}

/** For people: symbol where the locale has one, code otherwise: "€1,284.50", "KWD 12.500", "¥9,800". */
export function formatMoney(money: Money | MoneyJson, locale = 'en-US'): string {
  const format = new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: money.currency,
    minimumFractionDigits: exponentOf(money.currency),
    maximumFractionDigits: exponentOf(money.currency),
  })
  // The string overload keeps every digit beyond 2^53.
  return format.format(majorText(money) as `${number}`)
}

const LIST = new Intl.ListFormat('en-GB', { type: 'conjunction' })

/** €1,284.50, ¥9,800 and $30.00; an empty text for nothing. */
export const formatMoneyList = (amounts: readonly (Money | MoneyJson)[]): string =>
  LIST.format(amounts.map((amount) => formatMoney(amount)))

/** Sums per currency, in order of currency code. */
export function sumByCurrency(amounts: Iterable<Money>): Money[] {
  const sums = new Map<string, bigint>()
  for (const { minor, currency } of amounts) sums.set(currency, (sums.get(currency) ?? 0n) + minor)
  return [...sums].sort(([a], [b]) => a.localeCompare(b)).map(([currency, minor]) => ({ minor, currency }))
}

/** The same of amounts in their JSON form. */
export const sumMoneyJson = (amounts: readonly MoneyJson[]): MoneyJson[] =>
  sumByCurrency(amounts.map(({ minor, currency }) => ({ minor: BigInt(minor), currency }))).map(moneyToJson)

import { formatMoney, type MoneyJson } from '@/lib/core/money'

/** €1,284.50 */
export const moneyText = (amount: MoneyJson): string => formatMoney(amount)

const LIST = new Intl.ListFormat('en-GB', { type: 'conjunction' })

/** €1,284.50, ¥9,800 and $30.00; an empty text for nothing. */
export const moneyListText = (amounts: readonly MoneyJson[]): string => LIST.format(amounts.map(moneyText))

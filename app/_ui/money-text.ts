import { formatMoney, formatMoneyList, type MoneyJson } from '@/lib/core/money'

/** €1,284.50 */
export const moneyText = (amount: MoneyJson): string => formatMoney(amount)

export const moneyListText = formatMoneyList

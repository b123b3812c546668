import { z } from 'zod'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { exponentOf } from '@/lib/core/money'
import type { Db } from '@/lib/db'
import { ofStoreSchema, readOfStores, writeOfStore } from './store-setting'

/** Millionths of a currency's major unit: prices of storage are parts of a cent. */
const MICROS = 1_000_000
const GIB = 1024n ** 3n

/** `amount` is decimal text in major units, with up to 6 digits behind the point. */
const priceSchema = z.strictObject({
  amount: z.string().regex(/^\d{1,7}(\.\d{1,6})?$/, 'a price like 0.115, with at most 6 decimals'),
  currency: z
    .string()
    .toUpperCase()
    .refine((code) => Intl.supportedValuesOf('currency').includes(code), 'an ISO 4217 code like USD'),
})
/** Of a GiB kept for a month. */
export type Price = z.output<typeof priceSchema>

/** What a store's space costs, by its id, where somebody has said so. */
export async function readPrices(db: Db): Promise<Map<string, Price>> {
  const kept = await readOfStores(db, 'store_price')
  return new Map(kept.map(([source, value]) => [source, priceSchema.parse(value)]))
}

/** null takes it away. */
const inputSchema = ofStoreSchema.extend({ price: priceSchema.nullable() })

/** Says what a store's space costs. Changes nothing in the store. */
export async function setPrice(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'source.manage')
  const { price, ...of } = inputSchema.parse(raw)
  await writeOfStore(ctx, 'store_price', of, price, (kept) => ({ price: kept }))
}

/** What bytes cost a month, rounded down to a millionth of the major unit. Exact integers in between. */
export function monthlyCost(bytes: number, { amount, currency }: Price): Price {
  return { amount: microsText((BigInt(Math.round(bytes)) * microsOf(amount)) / GIB), currency }
}

/** Sums by currency, in order of its code. */
export function sumCosts(costs: readonly Price[]): Price[] {
  const sums = new Map<string, bigint>()
  for (const { amount, currency } of costs) sums.set(currency, (sums.get(currency) ?? 0n) + microsOf(amount))
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, micros]) => ({ amount: microsText(micros), currency }))
}

function microsOf(amount: string): bigint {
  const [whole = '0', fraction = ''] = amount.split('.')
  return BigInt(whole + fraction.padEnd(6, '0'))
}

const microsText = (micros: bigint): string =>
  `${micros / BigInt(MICROS)}.${(micros % BigInt(MICROS)).toString().padStart(6, '0')}`

/** $12.35; less than the smallest coin is said as such, and is not 0. */
export function costText({ amount, currency }: Price): string {
  const digits = exponentOf(currency)
  const format = new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  })
  const smallest = 10 ** -digits
  const value = Number(amount)
  return value > 0 && value < smallest ? `under ${format.format(smallest)}` : format.format(value)
}

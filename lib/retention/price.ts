import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { exponentOf } from '@/lib/core/money'
import { reasonSchema } from '@/lib/core/reason'
import type { Db } from '@/lib/db'

const PREFIX = 'store_price:'
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
  const rows = await db.prisma.setting.findMany({ where: { key: { startsWith: PREFIX } } })
  return new Map(
    rows.flatMap(({ key, value }) => {
      const price = priceSchema.nullable().parse(value)
      return price === null ? [] : [[key.slice(PREFIX.length), price] as const]
    }),
  )
}

const inputSchema = z.object({
  source: z.string().startsWith('src_'),
  /** null takes it away. */
  price: priceSchema.nullable(),
  reason: reasonSchema,
})

/** Says what a store's space costs. Changes nothing in the store. */
export async function setPrice(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'source.manage')
  const { source, price, reason } = inputSchema.parse(raw)
  const [key, now, by] = [PREFIX + source, ctx.clock.now(), actorLabel(ctx.actor)]
  await ctx.db.prisma.$transaction(async (tx) => {
    if ((await tx.source.findUnique({ where: { id: source }, select: { id: true } })) === null)
      throw new AppError('not_found', `There is no source ${source}.`)
    const before = await tx.setting.findUnique({ where: { key } })
    if (price === null) await tx.setting.deleteMany({ where: { key } })
    else
      await tx.setting.upsert({
        where: { key },
        create: { key, value: price, updatedAt: now, updatedBy: by },
        update: { value: price, version: { increment: 1 }, updatedAt: now, updatedBy: by },
      })
    await append(tx, ctx, {
      verb: 'setting.store_price',
      subject: source,
      outcome: 'done',
      reason,
      before: { price: before?.value ?? null },
      after: { price },
    })
  })
}

/** What bytes cost a month, rounded down to a millionth of the major unit. Exact integers in between. */
export function monthlyCost(bytes: number, { amount, currency }: Price): Price {
  const [whole = '0', fraction = ''] = amount.split('.')
  const priceMicros = BigInt(whole + fraction.padEnd(6, '0'))
  return { amount: microsText((BigInt(Math.round(bytes)) * priceMicros) / GIB), currency }
}

/** Sums by currency, in order of its code. */
export function sumCosts(costs: readonly Price[]): Price[] {
  const sums = new Map<string, bigint>()
  for (const { amount, currency } of costs) {
    const [whole = '0', fraction = ''] = amount.split('.')
    sums.set(currency, (sums.get(currency) ?? 0n) + BigInt(whole + fraction.padEnd(6, '0')))
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, micros]) => ({ amount: microsText(micros), currency }))
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

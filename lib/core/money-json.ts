import { z } from 'zod'
import type { MoneyJson } from './money'

/** MoneyJson as it is stored and answered. A file of its own: pages of the browser write money, and check none. */
export const moneyJsonSchema = z.object({
  minor: z.string(),
  currency: z.string(),
}) satisfies z.ZodType<MoneyJson>

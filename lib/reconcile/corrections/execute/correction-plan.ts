import { z } from 'zod'
import type { Money } from '@/lib/core/money'
import type { LedgerCorrection } from '@/lib/sources/contracts'

export const paramsSchema = z.strictObject({
  /** Of a refund: which charge, where the evidence does not decide. */
  charge: z.string().optional(),
  /** Of a refund: less than what is left of it. */
  amountMinor: z
    .string()
    .regex(/^\d{1,18}$/)
    .transform(BigInt)
    .optional(),
  /** Of a reversal: which posting. */
  entryId: z.string().optional(),
})
export type CorrectionParams = z.infer<typeof paramsSchema>

export type Plan = {
  /** The source that is changed. */
  sourceId: string
  /** The charge that it is about: one correction of it is in flight at a time. */
  provider: string
  charge: string
  amount: Money
  step:
    | { kind: 'refund'; chargeId: string; amountMinor: bigint }
    | { kind: 'ledger'; correction: Omit<LedgerCorrection, 'actionId'> }
}

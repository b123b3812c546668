import { z } from 'zod'
import type { MoneyJson } from '@/lib/core/money'
import { moneyJsonSchema } from '@/lib/core/money-json'
import type { CaseView } from '../cases/case-view'

const evidenceSchema = z.object({
  refund: z.array(z.string()).nullish(),
  effects: z
    .array(
      z.object({
        id: z.string(),
        status: z.string(),
        amount: moneyJsonSchema,
        createdAt: z.string().nullable(),
        namedByLedger: z.boolean().optional(),
        namedByRecord: z.boolean().optional(),
      }),
    )
    .default([]),
})

type Found = Pick<CaseView, 'evidence' | 'subject'>

/** What a refund would give back and what it would leave, as the evidence decides; null = a person has to choose. */
export function decidedRefund({ evidence, subject }: Found): { refund: string; keeps: string[] } | null {
  const parsed = evidenceSchema.safeParse(evidence)
  const [refund, ...others] = parsed.success ? (parsed.data.refund ?? []) : []
  if (refund === undefined || others.length > 0) return null
  return { refund, keeps: subject.effectIds.filter((id) => id !== refund) }
}

/** A charge that may be refunded, and what names it. */
export type RefundChoice = {
  id: string
  amount: MoneyJson
  createdAt: string | null
  namedBy: ('record' | 'ledger')[]
}

/** Which charge to refund, where the evidence does not decide; empty = it does. */
export function refundChoices({ evidence, subject }: Found): RefundChoice[] {
  const parsed = evidenceSchema.safeParse(evidence)
  if (subject.effectIds.length < 2 || !parsed.success || parsed.data.refund?.length === 1) return []
  return parsed.data.effects
    .filter(({ status }) => status === 'succeeded')
    .map(({ id, amount, createdAt, namedByLedger = false, namedByRecord = false }) => ({
      ...{ id, amount, createdAt },
      namedBy: [
        ...(namedByRecord ? (['record'] as const) : []),
        ...(namedByLedger ? (['ledger'] as const) : []),
      ],
    }))
}

import { z } from 'zod'
import { moneyText } from '@/app/_ui/money-text'
import type { ActionKind } from '@/lib/core/states'
import type { CaseDetail } from '@/lib/reconcile/cases/cases'

const evidenceSchema = z.object({
  refund: z.array(z.string()).nullish(),
  effects: z
    .array(
      z.object({
        id: z.string(),
        status: z.string(),
        amount: z.object({ minor: z.string(), currency: z.string() }),
        createdAt: z.string().nullable(),
        namedByLedger: z.boolean().optional(),
        namedByRecord: z.boolean().optional(),
      }),
    )
    .default([]),
})

/** What a refund would give back and what it would leave, as the evidence decides; null = a person has to choose. */
export function decidedRefund(
  found: Pick<CaseDetail, 'evidence' | 'subject'>,
): { refund: string; keeps: string[] } | null {
  const parsed = evidenceSchema.safeParse(found.evidence)
  const [refund, ...others] = parsed.success ? (parsed.data.refund ?? []) : []
  if (refund === undefined || others.length > 0) return null
  return { refund, keeps: found.subject.effectIds.filter((id) => id !== refund) }
}

/** Which charge to refund, where the evidence does not decide; empty = it does. */
export function choicesFor(
  found: Pick<CaseDetail, 'evidence' | 'subject'>,
  kind: ActionKind,
): { id: string; label: string }[] {
  if (kind !== 'refund' || found.subject.effectIds.length < 2) return []
  const parsed = evidenceSchema.safeParse(found.evidence)
  if (!parsed.success || parsed.data.refund?.length === 1) return []
  return parsed.data.effects
    .filter(({ status }) => status === 'succeeded')
    .map(({ id, amount, createdAt, namedByLedger, namedByRecord }) => {
      const named = [namedByRecord && 'record', namedByLedger && 'ledger'].filter(Boolean).join(' and ')
      const when = createdAt === null ? '' : `, ${createdAt.slice(11, 19)} UTC`
      return { id, label: `${id}, ${moneyText(amount)}${when}, named by ${named || 'nobody'}` }
    })
}

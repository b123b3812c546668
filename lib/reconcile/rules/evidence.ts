import { z } from 'zod'
import type { ActionView } from '@/lib/actions/view'
import { moneyJsonSchema as money } from '@/lib/core/money-json'
import { type Rule, rulesSchema } from './rules'

/** What a proposal of rules keeps beside its action. */
export const evidenceSchema = z.object({
  before: rulesSchema,
  after: rulesSchema,
  preview: z.object({
    looked: z.number(),
    more: z.boolean(),
    excused: z.number(),
    money: z.array(money),
    samples: z.array(
      z.object({
        id: z.string(),
        title: z.string(),
        subject: z.object({ reference: z.string().nullable() }),
        amount: money.nullable(),
      }),
    ),
  }),
})

const same = (left: Rule, right: Rule): boolean => JSON.stringify(left) === JSON.stringify(right)

/** The rules of a list that another one has not, as they are. */
export const without = (list: readonly Rule[], other: readonly Rule[]): Rule[] =>
  list.filter((rule) => !other.some((each) => same(each, rule)))

/** How a rule came into force: who agreed on it, when, and what it excused of the cases that were open then. */
export type Origin = {
  actionId: string
  at: string
  proposer: string | null
  approver: string | null
  preview: z.infer<typeof evidenceSchema>['preview']
}

/** By the approved proposals, newest first; a rule that came before these has none. */
export function originOf(rule: Rule, approved: readonly ActionView[]): Origin | null {
  for (const { id, finishedAt, createdAt, proposer, approver, evidence } of approved) {
    const parsed = evidenceSchema.safeParse(evidence)
    if (!parsed.success || without(parsed.data.after, parsed.data.before).every((each) => !same(each, rule)))
      continue
    return { actionId: id, at: finishedAt ?? createdAt, proposer, approver, preview: parsed.data.preview }
  }
  return null
}

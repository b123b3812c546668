import { z } from 'zod'
import { formatMoney } from '@/lib/core/money'
import { moneyJsonSchema as amount } from '@/lib/core/money-json'

const part = z.object({ id: z.string(), status: z.string(), amount })
const evidenceSchema = z.object({
  money: z.array(
    z.object({
      charge: z.string(),
      captured: amount,
      refunded: amount,
      left: amount,
      refunds: z.array(
        part.extend({
          explainedBy: z
            .object({ by: z.enum(['posting', 'claim', 'correction', 'record']), id: z.string() })
            .nullable(),
        }),
      ),
      owed: z.array(
        z.object({
          id: z.string(),
          why: z.enum(['failed', 'unsent']),
          amount,
          entries: z.array(z.string()),
          answeredBy: z.string().nullable(),
          answeredInParts: z.array(z.string()).optional(),
        }),
      ),
      disputes: z.array(part),
    }),
  ),
})
type Money = z.infer<typeof evidenceSchema>['money'][number]

/** One line of the picture. `attention`: nothing explains it, or a person has to decide about it. */
export type MoneyRow = {
  what: string
  id: string | null
  amount: string
  explanation: string
  attention: boolean
}

/** What became of a charge's money, in words; empty where the case is not about money that moves. */
export function moneyRows(evidence: unknown): { charge: string; rows: MoneyRow[] }[] {
  const parsed = evidenceSchema.safeParse(evidence)
  return parsed.success
    ? parsed.data.money.map((money) => ({ charge: money.charge, rows: rowsOf(money) }))
    : []
}

function rowsOf({ captured, refunded, left, refunds, owed, disputes }: Money): MoneyRow[] {
  const total = (what: string, minor: Money['captured'], explanation = ''): MoneyRow => ({
    what,
    id: null,
    amount: formatMoney(minor),
    explanation,
    attention: false,
  })
  return [
    total('Captured', captured),
    ...refunds.map((refund) => refundRow(refund, owed)),
    ...owed.filter(({ why }) => why === 'unsent').map(unsentRow),
    ...disputes.map(disputeRow),
    total('Refunded in total', refunded, 'Refunds that succeeded or are under way'),
    total('Left to refund', left),
  ]
}

const EXPLAINED = {
  posting: (id: string) => `Booked as posting ${id}`,
  claim: (id: string) => `Sent in place of ${id}`,
  correction: (id: string) => `Sent by the correction ${id}`,
  record: (id: string) => `Told to the caller under the key ${id}`,
} as const

function refundRow(refund: Money['refunds'][number], owed: Money['owed']): MoneyRow {
  const { id, status, explainedBy } = refund
  const row = { what: `Refund, ${status}`, id, amount: formatMoney(refund.amount) }
  if (status === 'succeeded' || status === 'pending') {
    return explainedBy === null
      ? { ...row, explanation: 'No posting explains it', attention: true }
      : { ...row, explanation: EXPLAINED[explainedBy.by](explainedBy.id), attention: false }
  }
  const claim = owed.find((each) => each.id === id)
  if (claim === undefined) return { ...row, explanation: 'Nobody was told of it', attention: false }
  return claim.answeredBy === null
    ? { ...row, explanation: 'Still owed', attention: true }
    : { ...row, explanation: `Sent again as ${answersText(claim)}`, attention: false }
}

const answersText = ({ answeredBy, answeredInParts }: Money['owed'][number]): string =>
  answeredInParts?.join(' and ') ?? String(answeredBy)

const unsentRow = (claim: Money['owed'][number]): MoneyRow => ({
  what: `Posting ${claim.entries.join(', ')}, not at the provider`,
  id: claim.id,
  amount: formatMoney(claim.amount),
  explanation: claim.answeredBy === null ? 'Still owed' : `Sent as ${answersText(claim)}`,
  attention: claim.answeredBy === null,
})

const DISPUTE: Record<string, { what: string; explanation: string; attention: boolean }> = {
  pending: { what: 'Dispute, open', explanation: 'The bank withholds this money', attention: true },
  succeeded: { what: 'Dispute, lost', explanation: 'The bank has taken this money', attention: true },
}
const NO_CLAIM = { what: 'Dispute, closed', explanation: 'No money is claimed', attention: false }

const disputeRow = ({ id, status, amount }: Money['disputes'][number]): MoneyRow => ({
  ...(DISPUTE[status] ?? NO_CLAIM),
  id,
  amount: formatMoney(amount),
})

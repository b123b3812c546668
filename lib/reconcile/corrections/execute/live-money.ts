import { z } from 'zod'
import { isLiveRefund } from '@/lib/reconcile/classify/claims'
import {
  type ProviderCharge,
  type ProviderDispute,
  type ProviderRefund,
  type ProviderSource,
  type ProviderStatus,
  SourceUnavailableError,
} from '@/lib/sources/contracts'

/** A charge's money as the provider has it this moment. */
export type LiveMoney = { charge: ProviderCharge; refunds: ProviderRefund[]; disputes: ProviderDispute[] }

/** null = the provider does not answer, or has no such charge. */
export async function readLiveMoney(source: ProviderSource, chargeId: string): Promise<LiveMoney | null> {
  try {
    const [charge, refunds, disputes] = await Promise.all([
      source.retrieveCharge(chargeId),
      source.refundsOfCharge(chargeId),
      source.disputesOfCharge(chargeId),
    ])
    return charge === null ? null : { charge, refunds, disputes }
  } catch (error) {
    if (error instanceof SourceUnavailableError) return null
    throw error
  }
}

const amount = z.object({ minor: z.string() })
const part = z.object({ id: z.string(), status: z.string(), amount })
const approvedMoney = z.object({
  source: z.string(),
  charge: z.string(),
  captured: amount,
  refunded: amount,
  refunds: z.array(part),
  disputes: z.array(part),
})
const approvedSchema = z.object({ money: z.array(approvedMoney) })

/** The charges whose money was approved, by the source that each of them is at. */
export const approvedCharges = (evidence: unknown): { source: string; charge: string }[] =>
  approvedSchema.safeParse(evidence).data?.money ?? []

/** What is not as it was approved, in words; null = all of it is. `mayBe`: the states of the charge that are as before. */
export function whatChanged(
  live: LiveMoney,
  evidence: unknown,
  mayBe: readonly ProviderStatus[] = ['succeeded'],
): string | null {
  const { charge } = live
  const parsed = approvedSchema.safeParse(evidence)
  const approved = parsed.data?.money.find((each) => each.charge === charge.id)
  if (approved === undefined) return `what was approved does not show the money of ${charge.id}`
  if (!mayBe.includes(charge.status)) return `${charge.id} is ${charge.status}`
  if (charge.capturedMinor.toString() !== approved.captured.minor)
    return `another amount of ${charge.id} is captured`
  return (
    changedPart(live.refunds, approved.refunds, `refund of ${charge.id}`) ??
    changedPart(live.disputes, approved.disputes, `dispute of ${charge.id}`) ??
    // Read by its id, the charge tells of a refund that no list shows yet.
    (givenBackMinor(live).toString() === approved.refunded.minor
      ? null
      : `another amount of ${charge.id} is given back`)
  )
}

function givenBackMinor({ charge, refunds }: LiveMoney): bigint {
  const listedMinor = refunds.filter(isLiveRefund).reduce((total, { amountMinor }) => total + amountMinor, 0n)
  // biome-ignore lint/complexity/useMathMinMax: Math.max takes no bigint
  return listedMinor > charge.refundedMinor ? listedMinor : charge.refundedMinor
}

function changedPart(
  now: readonly { id: string; status: string; amountMinor: bigint }[],
  approved: readonly z.infer<typeof part>[],
  what: string,
): string | null {
  const before = new Map(approved.map((each) => [each.id, each]))
  for (const { id, status, amountMinor } of now) {
    const was = before.get(id)
    if (was === undefined) return `${id} is a new ${what}`
    if (was.status !== status) return `${id}, a ${what}, was ${was.status} and is ${status}`
    if (was.amount.minor !== amountMinor.toString()) return `${id}, a ${what}, has another amount`
    before.delete(id)
  }
  const [gone] = before.keys()
  return gone === undefined ? null : `${gone}, a ${what}, is gone`
}

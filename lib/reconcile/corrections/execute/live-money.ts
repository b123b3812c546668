import { z } from 'zod'
import {
  type ProviderCharge,
  type ProviderDispute,
  type ProviderRefund,
  type ProviderSource,
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
const approvedSchema = z.object({
  money: z.array(
    z.object({ charge: z.string(), captured: amount, refunds: z.array(part), disputes: z.array(part) }),
  ),
})

/** What is not as it was approved, in words; null = all of it is. */
export function whatChanged(live: LiveMoney, evidence: unknown): string | null {
  const parsed = approvedSchema.safeParse(evidence)
  const approved = parsed.data?.money.find(({ charge }) => charge === live.charge.id)
  if (approved === undefined) return `what was approved does not show the money of ${live.charge.id}`
  if (live.charge.status !== 'succeeded') return `${live.charge.id} is ${live.charge.status}`
  if (live.charge.capturedMinor.toString() !== approved.captured.minor)
    return `another amount of ${live.charge.id} is captured`
  return changedPart(live.refunds, approved.refunds) ?? changedPart(live.disputes, approved.disputes)
}

function changedPart(
  now: readonly { id: string; status: string; amountMinor: bigint }[],
  approved: readonly z.infer<typeof part>[],
): string | null {
  const before = new Map(approved.map((each) => [each.id, each]))
  for (const { id, status, amountMinor } of now) {
    const was = before.get(id)
    if (was === undefined) return `${id} is new`
    if (was.status !== status) return `${id} was ${was.status} and is ${status}`
    if (was.amount.minor !== amountMinor.toString()) return `${id} has another amount`
    before.delete(id)
  }
  const [gone] = before.keys()
  return gone === undefined ? null : `${gone} is gone`
}

import type { Context } from '@/lib/context'
import { toJsonObject } from '@/lib/core/json-value'
import type { RefusalReason } from '@/lib/core/refusals'
import type { Reading } from '../assess/inspect'

/** Evidence older than this is read again by whoever tries next, rather than acted on. */
const EXECUTE_WITHIN_MS = 60_000

/**
 * Writes down what is about to be written, and when, so that an unknown end can be recognised. Null = the action is still
 * ours to carry out.
 */
export async function noteEvidence(
  ctx: Context,
  actionId: string,
  noted: { evidence: Record<string, unknown>; evidenceHash: string },
): Promise<RefusalReason | null> {
  const now = ctx.clock.now()
  const notBefore = new Date(now.getTime() - EXECUTE_WITHIN_MS)
  const { count } = await ctx.db.prisma.action.updateMany({
    where: { id: actionId, state: 'executing', executedAt: { gte: notBefore } },
    data: { evidence: toJsonObject(noted.evidence), evidenceHash: noted.evidenceHash, executedAt: now },
  })
  return count === 1 ? null : 'took_too_long'
}

/** What a verb rests on, as its action keeps it. */
export const evidenceOf = (reading: Reading, response: { status: number; body: string } | null) => ({
  lease: { ...reading.lease.seen, owner: reading.lease.owner },
  answer: reading.answer,
  verdict: reading.assessment.verdict,
  why: reading.assessment.reason,
  ...(response === null ? {} : { response: { status: response.status, body: response.body } }),
})

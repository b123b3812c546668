import { transition } from '@/lib/actions/transition'
import { type ActionView, actionView } from '@/lib/actions/view'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { toJsonObject } from '@/lib/core/json-value'
import { REFUSAL_TEXT, type RefusalReason } from '@/lib/core/refusals'
import type { KeyAction } from '@/lib/core/states'
import type { Reading } from '../assess/inspect'
import { formatLockVersion } from '../assess/lock-version'
import type { VerbOutcome } from './apply-verb'

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

export type Result = { state: 'done' | 'refused' | 'unknown' | 'failed'; result: Record<string, unknown> }

export function resultOf(outcome: VerbOutcome): Result {
  switch (outcome.kind) {
    case 'done':
      return { state: 'done', result: {} }
    case 'refused': {
      const { reason, reading } = outcome
      const now =
        reading === null
          ? {}
          : {
              version: formatLockVersion(reading.version),
              verdict: reading.assessment.verdict,
              why: reading.assessment.reason,
            }
      return { state: 'refused', result: { reason, text: REFUSAL_TEXT[reason], now } }
    }
    case 'unknown':
      return { state: 'unknown', result: { error: outcome.message } }
    default:
      return outcome satisfies never
  }
}

export async function commitResult(
  ctx: Context,
  verb: KeyAction,
  actionId: string,
  result: Result,
): Promise<ActionView> {
  return ctx.db.prisma.$transaction(async (tx) => {
    const row = await transition(tx, {
      id: actionId,
      from: ['executing'],
      to: result.state,
      patch: {
        result: result.result,
        ...(result.state === 'unknown' ? {} : { finishedAt: ctx.clock.now() }),
      },
    })
    // Somebody settled it meanwhile by reading the store: that answer stands.
    if (row === 'lost') return actionView(await tx.action.findUniqueOrThrow({ where: { id: actionId } }))
    await append(tx, ctx, {
      verb: `lock.${verb}`,
      subject: actionId,
      outcome: result.state,
      after: result.result,
    })
    return actionView(row)
  })
}

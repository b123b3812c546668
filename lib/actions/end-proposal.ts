import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import type { Tx } from '@/lib/db'
import { decide } from './transition'
import { type ActionView, actionView } from './view'

type EndOfProposal = {
  outcome: 'rejected' | 'withdrawn'
  /** As the audit log names it. */
  verb: string
  reason: string
  /** Written in the same transaction. */
  note?: (tx: Tx) => Promise<void>
}

/** Ends a proposal that nothing came of. The caller knows that this person may. Throws `conflict` when it was decided on. */
export async function endProposal(
  ctx: Context,
  id: string,
  { outcome, verb, reason, note }: EndOfProposal,
): Promise<ActionView> {
  return ctx.db.prisma.$transaction(async (tx) => {
    const result = outcome === 'withdrawn' ? { reason, withdrawn: true } : { reason }
    const patch = { finishedAt: ctx.clock.now(), result }
    const row = await decide(tx, { id, from: ['proposed'], to: 'rejected', patch })
    await note?.(tx)
    await append(tx, ctx, { verb, subject: id, outcome, reason })
    return actionView(row)
  })
}

import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import type { Tx } from '@/lib/db'
import { endRequestToSwitchOn } from './kill-switch'
import { transition } from './transition'

/**
 * Ends what an account proposed or asked for that still waits for another person: whoever else was in the account may
 * have made it, and it would count as its person's from now on.
 */
export async function endOpenRequests(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock' | 'requestId'>,
  userId: string,
): Promise<void> {
  const now = ctx.clock.now()
  const reason = 'The account that proposed it was taken over by its person.'
  const open = await tx.action.findMany({
    where: { proposerId: userId, state: 'proposed' },
    select: { id: true },
  })
  for (const { id } of open) {
    const patch = { finishedAt: now, result: { reason } }
    const row = await transition(tx, { id, from: ['proposed'], to: 'rejected', patch })
    if (row === 'lost') continue
    await append(tx, ctx, { verb: 'action.end', subject: id, outcome: 'rejected', reason })
  }
  await endRequestToSwitchOn(tx, now, userId)
}

import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import type { Posted } from '@/lib/outbound/post-json'
import { testMessage } from './message'
import { sendTo } from './send'

/** Sends a real message, marked as a test, and gives back what the receiver really answered, be it good or bad. */
export async function testReceiver(ctx: Context, id: string): Promise<Posted & { accepted: boolean }> {
  authorise(ctx, 'alert.test')
  const receiver = await ctx.db.prisma.receiver.findFirst({ where: { id, removedAt: null } })
  if (receiver === null) throw new AppError('not_found', `There is no receiver ${id}.`)
  const message = testMessage(ctx.requestId, actorLabel(ctx.actor), ctx.clock.now())
  const { posted, answered } = await sendTo(receiver, message)
  const { kind, status, durationMs } = posted
  await ctx.db.prisma.$transaction((tx) =>
    append(tx, ctx, {
      verb: 'receiver.test',
      subject: id,
      outcome: answered === 'delivered' ? 'done' : 'failed',
      after: { kind, status, durationMs },
    }),
  )
  return { ...posted, accepted: answered === 'delivered' }
}

import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { reasonSchema } from '@/lib/core/reason'
import { type ReceiverView, receiverView } from './receivers'

const inputSchema = z.strictObject({ id: z.string(), reason: reasonSchema })

/** Tells it nothing more, forgets how to reach it, and ends its routes. What it was told stays in the history. */
export async function removeReceiver(ctx: Context, raw: z.input<typeof inputSchema>): Promise<ReceiverView> {
  authorise(ctx, 'receiver.manage')
  const { id, reason } = inputSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    const [row] = await tx.receiver.updateManyAndReturn({
      where: { id, removedAt: null },
      data: { removedAt: ctx.clock.now(), secret: new Uint8Array() },
    })
    if (row === undefined) throw new AppError('not_found', `There is no receiver ${id}.`)
    await tx.notification.updateMany({
      where: { receiverId: id, state: 'waiting', deliveryId: null },
      data: { state: 'failed', finishedAt: ctx.clock.now() },
    })
    await tx.notificationGroup.updateMany({ where: { receiverId: id }, data: { incident: null } })
    await tx.notificationRoute.updateMany({
      where: { receiverId: id, endedAt: null },
      data: { endedAt: ctx.clock.now() },
    })
    const { name, host, paging } = row
    await append(tx, ctx, {
      verb: 'receiver.remove',
      subject: id,
      outcome: 'done',
      reason,
      before: { name, host, paging },
    })
    return receiverView(row)
  })
}

import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { notify } from '@/lib/live-events'
import { type SilenceView, silenceView } from './view'

const inputSchema = z.strictObject({
  id: z.string(),
  reason: z.string().trim().min(1, 'say why').max(1000),
})

/** Ends a silence now, or a planned one before it begins. What still fires is notified at the next evaluation. */
export async function expireSilence(ctx: Context, raw: z.input<typeof inputSchema>): Promise<SilenceView> {
  authorise(ctx, 'alert.silence')
  const { id, reason } = inputSchema.parse(raw)
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    const before = await tx.silence.findUnique({ where: { id } })
    if (before === null) throw new AppError('not_found', `There is no silence ${id}.`)
    const [row] = await tx.silence.updateManyAndReturn({
      where: { id, expiredAt: null, endsAt: { gt: now } },
      data: {
        expiredAt: now,
        expiredBy: ctx.actor.kind === 'user' ? ctx.actor.userId : ctx.actor.job,
        expiredReason: reason,
      },
    })
    if (row === undefined) throw new AppError('conflict', 'It has ended already.')
    await append(tx, ctx, {
      verb: 'alert.silence_expire',
      subject: id,
      outcome: 'done',
      reason,
      before: { endsAt: before.endsAt },
      after: { endsAt: now },
    })
    await notify(tx, { kind: 'conditions' })
    return silenceView(row, now)
  })
}

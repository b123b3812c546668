import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { notify } from '@/lib/live-events'
import { SILENCES_MAX } from './list'
import { previewSilence, silenceTermsSchema } from './preview'
import { type SilenceView, silenceView } from './view'

const inputSchema = silenceTermsSchema.extend({
  /** Why. Of at least ten characters where it lasts longer than an hour. */
  reason: z.string().trim().min(1, 'say why').max(1000),
  /** What the preview answered; needed where it lasts longer than an hour. */
  evidenceHash: z.string().max(64).optional(),
})

/**
 * Silences what matches: it is evaluated and kept as ever, and nobody is notified. Longer than an hour, it has to be
 * what was previewed: throws `conflict` with the fresh preview when other alerts match by now.
 */
export async function createSilence(ctx: Context, raw: z.input<typeof inputSchema>): Promise<SilenceView> {
  authorise(ctx, 'alert.silence')
  const { reason, evidenceHash, ...terms } = inputSchema.parse(raw)
  const now = ctx.clock.now()
  const preview = await previewSilence(ctx.db, now, terms)
  if (preview.tier === 2) {
    reasonSchema.parse(reason)
    if (evidenceHash !== preview.evidenceHash) {
      throw new AppError('conflict', 'Longer than an hour: look at what it matches now, then confirm that.', {
        meta: { reason: 'stale_evidence', ...preview },
      })
    }
  }
  const { startsAt = now, ...rest } = terms
  const data = {
    id: newId('sil'),
    ...rest,
    startsAt: new Date(Math.max(startsAt.getTime(), now.getTime())),
    reason,
    createdBy: ctx.actor.kind === 'user' ? ctx.actor.userId : ctx.actor.job,
    createdAt: now,
  }
  return ctx.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('alerts.silence', 0))`
    const held = await tx.silence.count({ where: { expiredAt: null, endsAt: { gt: now } } })
    if (held >= SILENCES_MAX)
      throw new AppError('unprocessable', `${SILENCES_MAX} silences hold or are planned: end some first.`)
    const row = await tx.silence.create({ data })
    const { id, createdBy, createdAt, reason: why, ...after } = data
    await append(tx, ctx, { verb: 'alert.silence', subject: id, outcome: 'done', reason: why, after })
    await notify(tx, { kind: 'conditions' })
    return silenceView(row, now)
  })
}

import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { actorLabel } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import type { Tx } from '@/lib/db'
import { notify } from '@/lib/live-events'
import { ACKNOWLEDGED_MS } from '../notify/timing'
import { type AcknowledgementView, acknowledgementView } from './read'

const MINUTE_MS = 60_000

export const acknowledgeSchema = z.strictObject({
  minutes: z
    .int()
    .min(5)
    .max(24 * 60)
    .default(ACKNOWLEDGED_MS / MINUTE_MS)
    .describe('When it ends and something fires on, receivers are told again'),
  note: z.string().trim().max(500).default(''),
})

/**
 * Somebody looks after an alert, and after all others of its kind and system: no reminders until it ends. A later one
 * takes its place. Throws `conflict` when it does not fire any more.
 */
export async function acknowledge(
  ctx: Context,
  episodeId: string,
  raw: z.input<typeof acknowledgeSchema>,
): Promise<AcknowledgementView> {
  authorise(ctx, 'alert.acknowledge')
  const terms = acknowledgeSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    const { kind, system } = await firingEpisode(tx, episodeId)
    return acknowledgeIn(tx, ctx, { id: episodeId, kind, system }, terms)
  })
}

/** The same of an alert that is known to fire, in the transaction of something more. */
export async function acknowledgeIn(
  tx: Tx,
  ctx: Context,
  { id, kind, system }: { id: string; kind: string; system: string },
  { minutes, note }: z.output<typeof acknowledgeSchema>,
): Promise<AcknowledgementView> {
  const now = ctx.clock.now()
  await endAcknowledgements(tx, { kind, system }, now)
  const row = await tx.acknowledgement.create({
    data: {
      id: newId('ack'),
      kind,
      system,
      episodeId: id,
      note,
      by: ctx.actor.kind === 'user' ? ctx.actor.userId : ctx.actor.job,
      byName: actorLabel(ctx.actor),
      at: now,
      until: new Date(now.getTime() + minutes * MINUTE_MS),
    },
  })
  const after = { kind, system, until: row.until, note }
  await append(tx, ctx, { verb: 'alert.acknowledge', subject: id, outcome: 'done', after })
  await notify(tx, { kind: 'conditions' })
  return acknowledgementView(row)
}

/** Nobody looks after it after all: reminders go on. */
export async function unacknowledge(ctx: Context, episodeId: string): Promise<AcknowledgementView> {
  authorise(ctx, 'alert.acknowledge')
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    const { kind, system } = await firingEpisode(tx, episodeId)
    const [row] = await endAcknowledgements(tx, { kind, system }, now)
    if (row === undefined) throw new AppError('conflict', 'Nobody has acknowledged it.')
    const before = { kind, system, until: row.until, by: row.by }
    await append(tx, ctx, { verb: 'alert.unacknowledge', subject: episodeId, outcome: 'done', before })
    await notify(tx, { kind: 'conditions' })
    return acknowledgementView(row)
  })
}

async function firingEpisode(tx: Tx, id: string): Promise<{ kind: string; system: string }> {
  const rows = await tx.$queryRaw<{ kind: string; system: string; over: boolean }[]>`
    SELECT kind, coalesce(detail->>'system', '') AS system, cleared_at IS NOT NULL AS over
    FROM alert_episode WHERE id = ${id} FOR NO KEY UPDATE`
  const [row] = rows
  if (row === undefined) throw new AppError('not_found', `There is no alert ${id}.`)
  if (row.over) throw new AppError('conflict', 'It does not fire any more.')
  return row
}

const endAcknowledgements = (tx: Tx, of: { kind: string; system: string }, now: Date) =>
  tx.acknowledgement.updateManyAndReturn({
    where: { ...of, endedAt: null, until: { gt: now } },
    data: { endedAt: now },
  })

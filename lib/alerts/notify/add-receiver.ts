import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { reasonSchema } from '@/lib/core/reason'
import { env } from '@/lib/env'
import { checkUrl } from '@/lib/outbound/check-url'
import { sealSecret } from '@/lib/sources/credentials'
import { RECEIVERS_MAX, type ReceiverView, receiverView } from './receivers'

export const addReceiverSchema = z.strictObject({
  name: z.string().trim().min(1).max(60),
  url: z.string().trim().min(1).max(2_000).describe('Sealed when it is saved, never given back'),
  paging: z
    .boolean()
    .default(false)
    .describe('It wakes somebody: what it delivers of duplicates counts for M10'),
  reason: reasonSchema,
})

/** Tells another webhook from now on. What leads to an address of ours that no setting allows is refused. */
export async function addReceiver(
  ctx: Context,
  raw: z.input<typeof addReceiverSchema>,
): Promise<ReceiverView> {
  authorise(ctx, 'receiver.manage')
  const { name, url, paging, reason } = addReceiverSchema.parse(raw)
  const { IDEMSCOPE_CREDENTIALS_KEY: key, IDEMSCOPE_OUTBOUND_ALLOW: allow } = env()
  if (key === undefined)
    throw new AppError('invalid', 'IDEMSCOPE_CREDENTIALS_KEY is not set: the URL cannot be sealed.')
  const checked = await checkUrl(url, allow).catch((cause: unknown) => {
    throw new AppError('unprocessable', 'The host of the URL cannot be resolved.', { cause })
  })
  if (checked.kind === 'refused') throw new AppError('unprocessable', checked.why)
  const id = newId('rcv')
  const after = { name, host: checked.url.host, paging }
  return ctx.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('alerts.receiver', 0))`
    const held = await tx.receiver.findMany({ where: { removedAt: null }, select: { name: true } })
    if (held.length >= RECEIVERS_MAX)
      throw new AppError('unprocessable', `There are ${RECEIVERS_MAX} receivers: remove one first.`)
    if (held.some((other) => other.name === name))
      throw new AppError('conflict', `There is a receiver ${name} already.`)
    const row = await tx.receiver.create({
      data: {
        id,
        kind: 'webhook',
        ...after,
        secret: sealSecret(key, id, { url }),
        createdBy: ctx.actor.kind === 'user' ? ctx.actor.userId : ctx.actor.job,
        createdAt: ctx.clock.now(),
      },
    })
    await append(tx, ctx, { verb: 'receiver.add', subject: id, outcome: 'done', reason, after })
    return receiverView(row)
  })
}

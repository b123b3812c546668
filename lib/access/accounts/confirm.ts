import { timingSafeEqual } from 'node:crypto'
import { z } from 'zod'
import { assertStillIn } from '@/lib/assert-still-in'
import type { Context } from '@/lib/context'
import { actorId } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { principalLinks } from '@/lib/core/principal-link'
import { reasonSchema } from '@/lib/core/reason'
import type { Tx } from '@/lib/db'
import { endInvitations, hashSecret } from './invitation'
import { personOf } from './invite'
import { lockUsers } from './names'

const inputSchema = z.object({ userId: z.string().max(64), code: z.string().max(20), reason: reasonSchema })

/**
 * A second administrator says who uses an account: its person has read them the code that only its own session shows.
 * From then on nobody else is behind it; who invited and who confirmed still count as it where they act themselves.
 */
export async function confirmAccount(ctx: Context, raw: z.input<typeof inputSchema>): Promise<void> {
  authorise(ctx, 'user.manage')
  const { userId, code, reason } = inputSchema.parse(raw)
  await ctx.db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const user = await personOf(tx, userId)
    await assertSecondPerson(tx, ctx, user)
    if (user.confirmCode === null)
      throw new AppError(
        'unprocessable',
        `${user.name} has no code yet: they set a password of their own first.`,
      )
    if (!sameText(code.trim().toUpperCase(), user.confirmCode))
      throw new AppError(
        'unprocessable',
        `That is not the code that ${user.name} sees in Settings. Ask them again.`,
      )
    // A link that was kept for later would open the account after it was confirmed.
    await endInvitations(tx, userId, ctx.clock.now())
    const { count } = await tx.principalLink.updateMany({
      where: { principalId: userId, holds: true },
      data: { holds: false },
    })
    await tx.principalLink.createMany({
      data: principalLinks('confirmed', userId, [actorId(ctx.actor)], ctx.clock.now()),
    })
    await tx.user.update({ where: { id: userId }, data: { confirmCode: null, updatedAt: ctx.clock.now() } })
    await tx.auditEntry.create({
      data: auditRow(ctx, {
        verb: 'user.confirm',
        subject: userId,
        outcome: 'done',
        reason,
        before: { heldBy: count },
        after: { heldBy: 0 },
      }),
    })
  })
}

async function assertSecondPerson(
  tx: Tx,
  { actor }: Context,
  user: { id: string; name: string },
): Promise<void> {
  if (actor.kind !== 'user') throw new AppError('forbidden', 'Only a person can confirm an account.')
  const [shared] = await tx.$queryRaw<{ name: string }[]>`
    SELECT u.name FROM principals_behind(${user.id}) a JOIN principals_behind(${actor.userId}) b USING (id)
    JOIN "user" u ON u.id = a.id LIMIT 1`
  if (shared === undefined) return assertStillIn(tx, actor)
  throw new AppError(
    'forbidden',
    `${shared.name} may be behind your account and that of ${user.name}: an administrator whom they did not invite has to confirm it.`,
    { meta: { reason: 'four_eyes' } },
  )
}

/** Digests are compared, so that neither content nor length shows in the time. */
const sameText = (one: string, other: string): boolean =>
  timingSafeEqual(Buffer.from(hashSecret(one)), Buffer.from(hashSecret(other)))

import { z } from 'zod'
import type { Context } from '@/lib/context'
import { actorId } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { principalLinks } from '@/lib/core/principal-link'
import { reasonSchema } from '@/lib/core/reason'
import type { Tx } from '@/lib/db'
import { createUser } from '../users'
import { createInvitation, endInvitations, type Invited } from './invitation'
import { assertNameFree, lockUsers, personNameSchema } from './names'

export const emailSchema = z
  .email()
  .max(200)
  .transform((email) => email.toLowerCase())

const inputSchema = z.object({ email: emailSchema, name: personNameSchema, reason: reasonSchema })

/**
 * Makes an account of a viewer, whose person sets their own password by the link. More than viewing takes a second
 * administrator (lib/actions/role-raise). Who invites holds the link, and counts as the account until it is confirmed.
 * Throws `conflict` when the email or the name is taken.
 */
export async function invite(ctx: Context, raw: z.input<typeof inputSchema>): Promise<Invited> {
  authorise(ctx, 'user.manage')
  const input = inputSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const taken = await tx.user.findUnique({ where: { email: input.email }, select: { id: true } })
    if (taken !== null) throw new AppError('conflict', `There is a user ${input.email} already.`)
    await assertNameFree(tx, input.name)
    const id = await createUser(tx, ctx, { ...input, role: 'viewer' }, null)
    await tx.principalLink.createMany({
      data: principalLinks('invited', id, [actorId(ctx.actor)], ctx.clock.now()),
    })
    return createInvitation(tx, ctx, { id, email: input.email })
  })
}

const againSchema = z.object({ userId: z.string().max(64), reason: reasonSchema })

/** Another link, for who lost theirs or their password. What signs in now goes on until the link is used. */
export async function inviteAgain(ctx: Context, raw: z.input<typeof againSchema>): Promise<Invited> {
  authorise(ctx, 'user.manage')
  const { userId, reason } = againSchema.parse(raw)
  if (ctx.actor.kind === 'user' && ctx.actor.userId === userId)
    throw new AppError(
      'unprocessable',
      'Change your own password with the old one, or ask another administrator.',
    )
  return ctx.db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const user = await personOf(tx, userId)
    if (user.banned)
      throw new AppError('unprocessable', `${user.name} is locked out: let them in first, if that is right.`)
    await tx.principalLink.createMany({
      data: principalLinks('reset', userId, [actorId(ctx.actor)], ctx.clock.now()),
    })
    await tx.user.update({ where: { id: userId }, data: { confirmCode: null, updatedAt: ctx.clock.now() } })
    await tx.auditEntry.create({
      data: auditRow(ctx, { verb: 'user.invite_again', subject: userId, outcome: 'done', reason }),
    })
    return createInvitation(tx, ctx, user)
  })
}

/** Voids what was not used yet. Idempotent. */
export async function withdrawInvitation(ctx: Context, raw: z.input<typeof againSchema>): Promise<void> {
  authorise(ctx, 'user.manage')
  const { userId, reason } = againSchema.parse(raw)
  await ctx.db.prisma.$transaction(async (tx) => {
    if ((await endInvitations(tx, userId, ctx.clock.now())) === 0) return
    await tx.auditEntry.create({
      data: auditRow(ctx, { verb: 'user.withdraw_invitation', subject: userId, outcome: 'done', reason }),
    })
  })
}

/** Throws `not_found`, and `unprocessable` for a service user. */
export async function personOf(tx: Tx, userId: string) {
  const user = await tx.user.findUnique({ where: { id: userId } })
  if (user === null) throw new AppError('not_found', `There is no user ${userId}.`)
  if (user.service)
    throw new AppError('unprocessable', `${user.name} is a service: it acts by its token only.`)
  return user
}

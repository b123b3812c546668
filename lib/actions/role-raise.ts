import { z } from 'zod'
import { append } from '@/lib/audit/append'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { isHigherRole, ROLES } from '@/lib/core/permissions'
import { principalLinks } from '@/lib/core/principal-link'
import { reasonSchema } from '@/lib/core/reason'
import { ROLE_ACTION_KIND } from '@/lib/core/states'
import type { Tx } from '@/lib/db'
import { assertFourEyes, assertProposer } from './approval'
import { createAction } from './create'
import { endProposal } from './end-proposal'
import { evidenceHashOf } from './evidence-hash'
import { assertWritesEnabled } from './kill-switch'
import { putInForce } from './put-in-force'
import { type ActionView, actionView } from './view'

const roleSchema = z.enum(ROLES)
const paramsSchema = z.object({ userId: z.string().max(64), role: roleSchema })
const inputSchema = paramsSchema.extend({ reason: reasonSchema })

/** What an approval of a raise rests on, as it was stored. */
export const raiseEvidenceSchema = z.object({
  name: z.string(),
  email: z.string(),
  before: roleSchema,
  after: roleSchema,
})

/** Proposes that somebody may do more; it holds when a second administrator has approved it. */
export async function proposeRoleRaise(ctx: Context, raw: z.input<typeof inputSchema>): Promise<ActionView> {
  authorise(ctx, 'user.manage')
  const { reason, ...params } = inputSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    const evidence = await evidenceOf(tx, params)
    const waiting = await tx.action.count({
      where: {
        kind: ROLE_ACTION_KIND,
        state: 'proposed',
        params: { path: ['userId'], equals: params.userId },
      },
    })
    if (waiting > 0)
      throw new AppError('conflict', `A raise of ${evidence.name} waits already: decide on that one first.`)
    const action = await createAction(tx, ctx, {
      id: newId('act'),
      kind: ROLE_ACTION_KIND,
      state: 'proposed',
      reason,
      params,
      evidence,
      evidenceHash: evidenceHashOf(evidence),
    })
    const after = { userId: params.userId, role: params.role }
    const entry = { verb: 'user.raise_role', subject: action.id, outcome: 'proposed', reason, after }
    await append(tx, ctx, entry)
    return actionView(action)
  })
}

/** A second administrator, another person than proposed, agrees to what they saw: it holds at once. */
export async function approveRoleRaise(
  ctx: Context,
  input: { actionId: string; evidenceHash: string },
): Promise<ActionView> {
  authorise(ctx, 'user.manage')
  const action = await proposedRaise(ctx, input.actionId)
  const approverId = await assertFourEyes(ctx, action, 'user.manage')
  await assertWritesEnabled(ctx.db)
  const { userId, role } = paramsSchema.parse(action.params)
  const now = ctx.clock.now()
  return ctx.db.prisma.$transaction(async (tx) => {
    const evidence = await evidenceOf(tx, { userId, role })
    if (action.evidenceHash !== input.evidenceHash || evidenceHashOf(evidence) !== input.evidenceHash) {
      throw new AppError('conflict', 'The account is not as it was looked at: propose it again.', {
        meta: { reason: 'stale_evidence' },
      })
    }
    const row = await putInForce(tx, action.id, { approverId, at: now, result: { role } })
    const raised = await tx.user.updateMany({
      where: { id: userId, role: evidence.before, banned: false },
      data: { role, updatedAt: now },
    })
    if (raised.count === 0) throw new AppError('conflict', 'The account has changed meanwhile: look again.')
    await tx.principalLink.createMany({
      data: principalLinks('raised', userId, [action.proposerId, approverId], now),
    })
    await append(tx, ctx, {
      verb: 'user.set_role',
      subject: userId,
      outcome: 'done',
      reason: action.reason,
      before: { role: evidence.before },
      after: { role, actionId: action.id, proposedBy: action.proposerId },
    })
    return actionView(row)
  })
}

type EndOfProposal = { actionId: string; reason: string }

/** A second administrator says no. */
export async function rejectRoleRaise(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  authorise(ctx, 'user.manage')
  const reason = reasonSchema.parse(input.reason)
  const { id } = await proposedRaise(ctx, input.actionId)
  return endProposal(ctx, id, { outcome: 'rejected', verb: 'user.raise_role', reason })
}

/** Its proposer takes it back; it needs no approver, since nothing was changed. */
export async function withdrawRoleRaise(ctx: Context, input: EndOfProposal): Promise<ActionView> {
  const reason = reasonSchema.parse(input.reason)
  const action = await proposedRaise(ctx, input.actionId)
  assertProposer(action, ctx.actor)
  return endProposal(ctx, action.id, { outcome: 'withdrawn', verb: 'user.raise_role', reason })
}

/** Whom it is about and what would change. Throws when it would raise nothing, or more than a service may do. */
async function evidenceOf(tx: Tx, { userId, role }: z.infer<typeof paramsSchema>) {
  const user = await tx.user.findUnique({ where: { id: userId } })
  if (user === null) throw new AppError('not_found', `There is no user ${userId}.`)
  const before = roleSchema.parse(user.role)
  if (!isHigherRole(role, before))
    throw new AppError('unprocessable', `${user.name} is ${before}: ${role} would raise nothing.`)
  if (user.service && role !== 'operator')
    throw new AppError('unprocessable', 'A service user can be a viewer or an operator only.')
  if (user.banned) throw new AppError('unprocessable', `${user.name} is locked out.`)
  return { userId, name: user.name, email: user.email, before, after: role }
}

async function proposedRaise(ctx: Context, id: string) {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action === null || action.kind !== ROLE_ACTION_KIND)
    throw new AppError('not_found', `There is no proposed role ${id}.`)
  return action
}

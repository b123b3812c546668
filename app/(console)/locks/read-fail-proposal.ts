import type { UserContext } from '@/app/_server/context'
import { listActions } from '@/lib/actions/read'
import type { ActionView } from '@/lib/actions/view'
import { leastRoleFor, roleAllows } from '@/lib/core/permissions'
import { env } from '@/lib/env'

export type WaitingFail = {
  action: ActionView
  me: string
  proposer: string
  /** Why this person may not decide. */
  forbidden: string | null
  environment: string
}

/** The proposal to fail this key that waits for a second person; null = none does. */
export async function readFailProposal(
  ctx: UserContext,
  subject: { source: string; scope: string; key: string },
): Promise<WaitingFail | null> {
  const waiting = await listActions(ctx.db, { ...subject, kind: ['fail'], state: ['proposed'] }, { limit: 1 })
  const [action] = waiting.items
  if (action === undefined) return null
  const user =
    action.proposer === null ? null : await ctx.db.prisma.user.findUnique({ where: { id: action.proposer } })
  const mayDecide = roleAllows(ctx.actor.role, 'action.approve')
  return {
    action,
    me: ctx.actor.userId,
    proposer: user?.name ?? 'the system',
    forbidden: mayDecide ? null : `Needs the ${leastRoleFor('action.approve')} role`,
    environment: env().IDEMSCOPE_ENVIRONMENT,
  }
}

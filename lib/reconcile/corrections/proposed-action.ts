import type { Context } from '@/lib/context'
import { AppError } from '@/lib/core/errors'
import type { Action } from '@/prisma/generated/client'

/** An action that still waits for a decision. Throws `not_found`, or `conflict` when it was decided. */
export async function proposedAction(ctx: Context, id: string): Promise<Action> {
  const action = await ctx.db.prisma.action.findUnique({ where: { id } })
  if (action === null) throw new AppError('not_found', `There is no action ${id}.`)
  if (action.state !== 'proposed') throw new AppError('conflict', `The action is ${action.state} already.`)
  return action
}

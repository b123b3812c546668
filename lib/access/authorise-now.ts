import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import type { Verb } from '@/lib/core/permissions'
import { currentActor } from './current-actor'

/** The context with what its actor may do at this moment. Throws `forbidden` when they may not, or not any more. */
export async function authoriseNow(ctx: Context, verb: Verb): Promise<Context> {
  const now = { ...ctx, actor: await currentActor(ctx) }
  authorise(now, verb)
  return now
}

import { z } from 'zod'
import type { Context } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { AppError } from '@/lib/core/errors'
import { ROLES } from '@/lib/core/permissions'
import { findTokenActor } from './tokens'

/**
 * Who acts, as they are now: a request, a job and the cache of tokens know them as they were. Ask again before each thing
 * that is done for them. Throws `forbidden` once they are locked out, or the token they act by has ended.
 */
export async function currentActor({
  db,
  clock,
  actor,
}: Pick<Context, 'db' | 'clock' | 'actor'>): Promise<Actor> {
  if (actor.kind === 'system') return actor
  if (actor.via === 'token') {
    const now = await findTokenActor(db, actor.tokenId, clock.now())
    if (now === null)
      throw new AppError(
        'forbidden',
        `The token of ${actor.name} that asked for this was revoked, or has ended.`,
      )
    return now
  }
  const user = await db.prisma.user.findUnique({ where: { id: actor.userId } })
  if (user === null || user.banned) throw new AppError('forbidden', `${actor.name} may not act any more.`)
  return { ...actor, name: user.name, role: z.enum(ROLES).parse(user.role) }
}

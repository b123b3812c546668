import type { Actor } from './core/actor'
import { AppError } from './core/errors'
import type { Tx } from './db'

/**
 * The session, or the token, by which somebody acts still opens the account. Check it last where one person's word counts
 * beside another's: whoever takes an account over ends both, and who held it, and asked a moment before, is not its person.
 * Asks the database, not the cache of tokens. Throws `forbidden`.
 */
export async function assertStillIn(prisma: Pick<Tx, 'session' | 'apikey'>, actor: Actor): Promise<void> {
  if (actor.kind !== 'user') return
  if (actor.via === 'token') {
    if ((await prisma.apikey.count({ where: { id: actor.tokenId, enabled: true } })) === 0)
      throw new AppError('forbidden', 'This token was revoked, or has ended.')
    return
  }
  const { sessionId, userId } = actor
  if (sessionId === undefined) return
  if ((await prisma.session.count({ where: { id: sessionId, userId } })) === 0)
    throw new AppError('forbidden', 'This session has ended: sign in again.')
}

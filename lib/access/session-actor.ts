import type { Actor } from '@/lib/core/actor'
import { ROLES, type Role } from '@/lib/core/permissions'
import type { Auth } from './auth'

type SessionActor = Extract<Actor, { via: 'session' }>

/** Who is signed in, read from the session's cookie; null = nobody. A service user cannot sign in. */
export const sessionActor = async (auth: Auth, headers: Headers): Promise<SessionActor | null> =>
  (await readSession(auth, headers))?.actor ?? null

/** The same, and which of their sessions it is. */
export async function readSession(
  auth: Auth,
  headers: Headers,
): Promise<{ actor: SessionActor; sessionId: string } | null> {
  const found = await auth.api.getSession({ headers })
  if (found === null || found.user.banned || found.user.service) return null
  const role = ROLES.find((known): known is Role => known === found.user.role)
  if (role === undefined) return null
  const { id: userId, name } = found.user
  const sessionId = found.session.id
  return { actor: { kind: 'user', userId, name, role, via: 'session', sessionId }, sessionId }
}

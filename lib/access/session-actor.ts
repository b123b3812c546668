import type { Actor } from '@/lib/core/actor'
import { ROLES, type Role } from '@/lib/core/permissions'
import type { Auth } from './auth'

/** Who is signed in, read from the session's cookie; null = nobody. A service user cannot sign in. */
export async function sessionActor(
  auth: Auth,
  headers: Headers,
): Promise<Extract<Actor, { kind: 'user' }> | null> {
  const session = await auth.api.getSession({ headers })
  if (session === null || session.user.banned || session.user.service) return null
  const role = ROLES.find((known): known is Role => known === session.user.role)
  if (role === undefined) return null
  return { kind: 'user', userId: session.user.id, name: session.user.name, role, via: 'session' }
}

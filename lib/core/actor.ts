import type { Role } from './permissions'

/** Who acts. A principal is always a user; a token belongs to one. */
export type Actor =
  | { kind: 'user'; userId: string; name: string; role: Role; via: 'session'; sessionId?: string }
  | { kind: 'user'; userId: string; name: string; role: Role; via: 'token'; tokenId: string }
  | { kind: 'system'; job: string }

export const actorLabel = (actor: Actor): string =>
  actor.kind === 'user' ? actor.name : `system:${actor.job}`

/** The user's id, or the job of the console. */
export const actorRef = (actor: Actor): string =>
  actor.kind === 'user' ? actor.userId : `system:${actor.job}`

/** Null = the console itself. */
export const actorId = (actor: Actor): string | null => (actor.kind === 'user' ? actor.userId : null)

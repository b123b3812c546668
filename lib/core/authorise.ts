import type { Actor } from './actor'
import { AppError } from './errors'
import { leastRoleFor, roleAllows, type Verb } from './permissions'

/** What jobs may do on their own account. Money and other people's keys are never among it. */
const SYSTEM_VERBS: readonly Verb[] = ['view', 'run.start', 'run.cancel', 'retention.run', 'audit.verify']

/** Throws `forbidden` and names the role that is needed. Every verb calls it first. */
export function authorise(who: Actor | { actor: Actor }, verb: Verb): void {
  const actor = 'actor' in who ? who.actor : who
  const allowed = actor.kind === 'user' ? roleAllows(actor.role, verb) : SYSTEM_VERBS.includes(verb)
  if (allowed) return
  const role = leastRoleFor(verb)
  const article = role === 'operator' || role === 'approver' || role === 'admin' ? 'an' : 'a'
  throw new AppError('forbidden', `${verb} needs the ${role} role: ask ${article} ${role}.`, {
    meta: { verb, roleNeeded: role, ...(actor.kind === 'user' ? { role: actor.role } : { job: actor.job }) },
  })
}

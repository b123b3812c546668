import { z } from 'zod'
import { assertStillIn } from '@/lib/assert-still-in'
import type { Context } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { ROLES, type Role, roleAllows, type Verb } from '@/lib/core/permissions'
import type { Db } from '@/lib/db'

/** An approval is of evidence as it was: after this it has to be looked at again. */
const APPROVAL_MS = 15 * 60_000

export const approvalExpiresAt = (approvedAt: Date): Date => new Date(approvedAt.getTime() + APPROVAL_MS)

/**
 * Four eyes: approving needs a person, with a session or a token of their own, and another person than proposed, not
 * another account of one person. Who proposed it must still be somebody who may. The database checks the accounts too.
 * Returns the approver. Throws `forbidden`.
 */
export async function assertFourEyes(
  ctx: Pick<Context, 'db' | 'actor'>,
  action: { proposerId: string | null },
  verb: Verb = 'action.approve',
): Promise<string> {
  const { userId: approverId } = await assertPersonMay(ctx, verb)
  if (action.proposerId === null) throw refusal('Only what a person proposed can be approved.', 'no_proposer')
  await assertTwoPeople(ctx.db, action.proposerId, approverId)
  const proposer = await readStanding(ctx.db, action.proposerId)
  if (proposer.banned)
    throw refusal('Its proposer is locked out: somebody else has to propose it again.', 'locked_out')
  if (!proposer.roles.every((role) => roleAllows(role, verb === 'action.approve' ? 'case.propose' : verb)))
    throw refusal('Its proposer may not propose it any more: somebody else has to.', 'lowered')
  await assertStillIn(ctx.db.prisma, ctx.actor)
  return approverId
}

/** Throws `conflict` when the approver saw other evidence than was proposed. */
export function assertSameEvidence(action: { evidenceHash: string | null }, evidenceHash: string): void {
  if (action.evidenceHash === evidenceHash) return
  throw new AppError('conflict', 'That is not the evidence of this proposal: look at it again.', {
    meta: { reason: 'stale_evidence' },
  })
}

/** A service stands as its owner does: their roles are all that count, and it is locked out with them. */
const STANDING = `
  SELECT min(u.name) FILTER (WHERE u.id = $1) AS name, bool_or(u.banned) AS banned, array_agg(u.role) AS roles FROM "user" u
  WHERE u.id = $1 OR u.id IN (SELECT l.by_id FROM principal_link l WHERE l.principal_id = $1 AND l.how = 'minted')`

const standingSchema = z.object({
  name: z.string(),
  banned: z.boolean(),
  roles: z.array(z.enum(ROLES)).min(1),
})

/** Whether somebody is locked out, and as what they act: every one of the roles has to allow it. */
export const readStanding = async (db: Db, userId: string): Promise<z.infer<typeof standingSchema>> =>
  standingSchema.parse((await db.pool.query(STANDING, [userId])).rows[0])

/** Why a correction cannot be sent on the word of two people any more; null = both still may what they did. */
export async function whyWordIsGone(
  db: Db,
  { proposerId, approverId }: { proposerId: string | null; approverId: string | null },
): Promise<string | null> {
  const words = [
    [proposerId, 'case.propose', 'proposed'],
    [approverId, 'action.approve', 'approved'],
  ] as const
  for (const [userId, verb, did] of words) {
    if (userId === null) continue
    const { name, banned, roles } = await readStanding(db, userId)
    if (banned) return `${name}, who ${did} it, was locked out.`
    if (!roles.every((role) => roleAllows(role, verb))) return `${name}, who ${did} it, may not any more.`
  }
  return null
}

/** The actor is a person who may do it now: a token remembers its user's role for some seconds. */
export async function assertPersonMay(
  { db, actor }: Pick<Context, 'db' | 'actor'>,
  verb: Verb,
): Promise<{ userId: string; role: Role }> {
  if (actor.kind !== 'user') throw new AppError('forbidden', 'Only a person may do this.')
  const user = await db.prisma.user.findUniqueOrThrow({ where: { id: actor.userId } })
  if (user.banned || user.service)
    throw new AppError('forbidden', 'It takes a person: a session, or a token of their own.')
  const role = z.enum(ROLES).parse(user.role)
  authorise({ ...actor, role }, verb)
  return { userId: user.id, role }
}

const FAULT = `
  SELECT f.reason, f.person, coalesce(u.name, f.person) AS name
  FROM four_eyes_fault($1, $2) f LEFT JOIN "user" u ON u.id = f.person`

const faultSchema = z.object({
  reason: z.enum(['own', 'held', 'changed', 'unowned']),
  person: z.string(),
  name: z.string(),
})

/** Throws `forbidden` when one person could be behind both accounts, and says who and what would help. */
export async function assertTwoPeople(db: Db, one: string, other: string): Promise<void> {
  const { rows } = await db.pool.query(FAULT, [one, other])
  if (rows.length === 0) return
  const { reason, person, name } = faultSchema.parse(rows[0])
  throw new AppError('forbidden', EXPLAINED[reason](name), {
    meta: { reason: 'four_eyes', fault: reason, person },
  })
}

const EXPLAINED: Record<z.infer<typeof faultSchema>['reason'], (name: string) => string> = {
  own: () => 'Whoever proposed an action cannot approve it: ask another approver.',
  held: (name) =>
    `Two people have to agree, and ${name} may be behind both accounts: they invited one of them, or reset its password. Ask another approver, or have a second administrator confirm in Settings who uses it.`,
  changed: (name) =>
    `Two people have to agree, and ${name} invited, confirmed, raised, renamed or let in the other account, so they count as it. Ask another approver.`,
  unowned: () =>
    'This goes back to a token of the command line that names no owner: it may be any administrator’s. Ask an approver who was none when it was made, nor since.',
}

const refusal = (why: string, fault: string) =>
  new AppError('forbidden', why, { meta: { reason: 'four_eyes', fault } })

/** Only its proposer takes a proposal back. Throws `forbidden`. */
export function assertProposer(action: { proposerId: string | null }, actor: Actor): void {
  if (actor.kind !== 'user' || action.proposerId !== actor.userId)
    throw new AppError('forbidden', 'Only who proposed it can withdraw it; an approver can reject it.')
}

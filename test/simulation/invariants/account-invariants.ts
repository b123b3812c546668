import { isHigherRole } from '@/lib/core/permissions'
import { ROLE_ACTION_KIND } from '@/lib/core/states'
import type { Click, Hands, Standing } from '../world/hands'
import type { World } from '../world/world'
import { Violation } from './violation'

/** What two people have agreed on: by whose hands, and as what they stood when the second one clicked. */
export async function checkAccounts({ env, hands }: World): Promise<void> {
  if (hands === null) return
  const before = hands.standing
  await hands.look()
  const { rows } = await env.db.pool.query(
    `SELECT a.id, a.kind, a.state, a.request_id AS "proposedIn", e.request_id AS "approvedIn",
       a.params->>'userId' AS "userId", a.params->>'role' AS role
     FROM action a JOIN audit_entry e
       ON (e.subject = a.id AND e.outcome = 'approved') OR (e.verb = 'user.set_role' AND e.after->>'actionId' = a.id)
     WHERE a.approver_id IS NOT NULL`,
  )
  for (const { id, kind, proposedIn, approvedIn } of rows) {
    const [proposed, approved] = [hands.clicks.get(proposedIn), hands.clicks.get(approvedIn)]
    if (proposed === undefined || approved === undefined)
      throw new Violation('two people agree', `${kind} ${id} was approved, and nobody clicked`)
    twoPeopleStand(hands, `${kind} ${id}`, proposed, approved)
  }
  const raises = rows.filter(({ kind, state }) => kind === ROLE_ACTION_KIND && state === 'done')
  rolesAreRaisedByTwo(before, hands.standing, raises)
}

function twoPeopleStand(hands: Hands, what: string, proposed: Click, approved: Click): void {
  const { account: proposer, person, nth } = proposed
  if (person === approved.person)
    throw new Violation(
      'two people agree',
      `${person} proposed ${what} as ${proposer} and approved it as ${approved.account}`,
    )
  const standing = approved.standing.get(proposer)
  if (standing === undefined || standing.banned || standing.role === 'viewer')
    throw new Violation(
      'a word counts while its person may give it',
      `${proposer} proposed ${what}, and was ${standing?.banned ? 'locked out' : standing?.role} before it was approved`,
    )
  const taken = hands.takeovers.some(
    (each) => each.account === proposer && each.nth > nth && each.nth < approved.nth,
  )
  if (taken)
    throw new Violation(
      'a word counts while its person may give it',
      `${proposer} was taken over since it proposed ${what}, which was approved`,
    )
}

function rolesAreRaisedByTwo(
  before: Standing,
  now: Standing,
  raises: readonly { userId: string; role: string }[],
): void {
  for (const [account, { userId, role, banned: _ }] of now) {
    const was = before.get(account)?.role ?? 'viewer'
    if (before.size === 0 || !isHigherRole(role, was)) continue
    if (!raises.some((raise) => raise.userId === userId && raise.role === role))
      throw new Violation('a role is raised by two people', `${account} was ${was} and is ${role}`)
  }
}

import { acceptInvitation } from '@/lib/access/accounts/accept-invitation'
import { confirmAccount } from '@/lib/access/accounts/confirm'
import { invite } from '@/lib/access/accounts/invite'
import { ensureUser } from '@/lib/access/users'
import { endOpenRequests } from '@/lib/actions/end-open-requests'
import { approveRoleRaise, proposeRoleRaise } from '@/lib/actions/role-raise'
import type { Context } from '@/lib/context'
import type { Clock } from '@/lib/core/clock'
import { ROLES, type Role } from '@/lib/core/permissions'
import type { Db } from '@/lib/db'
import { silentLog } from '@/lib/log'
import { noQueue } from '../support/no-queue'

export const PASSWORD = 'correct horse battery'
export const REASON = 'joins the team on call'

/** Accounts of one console, made as people make them. Nothing here waits for a session: verbs get contexts. */
export function peopleOf(db: Db, clock: Clock) {
  /** What an account may do now, with a session of its own. */
  const as = async (name: string): Promise<Context & { userId: string }> => {
    const user = await db.prisma.user.findFirstOrThrow({ where: { name } })
    const role = ROLES.find((known) => known === user.role) ?? 'viewer'
    const actor = { kind: 'user', userId: user.id, name, role, via: 'session' } as const
    return { db, clock, log: silentLog, queue: noQueue, requestId: 'r', actor, userId: user.id }
  }
  /** By the console's own start, or the host: nobody else is behind it. */
  const fromHost = async (name: string, role: Role) => {
    await ensureUser(db, clock, { email: emailOf(name), name, role, password: PASSWORD })
    return as(name)
  }
  const accept = async (secret: string, password = PASSWORD) =>
    acceptInvitation({ db, clock, endOpenRequests }, { secret, password })
  const invited = async (by: string, name: string) => {
    const { secret } = await invite(await as(by), { email: emailOf(name), name, reason: REASON })
    await accept(secret)
    return as(name)
  }
  const raised = async (name: string, role: Role, proposer: string, approver: string) => {
    const { userId } = await as(name)
    const action = await proposeRoleRaise(await as(proposer), { userId, role, reason: REASON })
    const evidenceHash = action.evidenceHash ?? ''
    await approveRoleRaise(await as(approver), { actionId: action.id, evidenceHash })
    return as(name)
  }
  const codeOf = async (name: string) =>
    (await db.prisma.user.findFirstOrThrow({ where: { name } })).confirmCode ?? ''
  const confirmed = async (name: string, by: string) =>
    confirmAccount(await as(by), {
      userId: (await as(name)).userId,
      code: await codeOf(name),
      reason: REASON,
    })
  return { as, fromHost, accept, invited, raised, codeOf, confirmed }
}

export const emailOf = (name: string): string => `${name.toLowerCase().replaceAll(' ', '.')}@test.local`

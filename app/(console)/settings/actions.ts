'use server'

import { revalidatePath } from 'next/cache'
import { headers } from 'next/headers'
import { z } from 'zod'
import { actionsShownOn } from '@/app/_server/actions-shown-on'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { attemptOnce, CONTAINS } from '@/app/_server/attempt-once'
import { services } from '@/app/_server/services'
import type { ActionInput } from '@/app/_ui/action-dialog'
import { changeOwnPassword } from '@/lib/access/accounts/change-password'
import { confirmAccount } from '@/lib/access/accounts/confirm'
import { type Invited, invitationPath } from '@/lib/access/accounts/invitation'
import { invite, inviteAgain, withdrawInvitation } from '@/lib/access/accounts/invite'
import { renameUser } from '@/lib/access/accounts/rename'
import { lowerRole } from '@/lib/access/lower-role'
import { readSession } from '@/lib/access/session-actor'
import { endSessions } from '@/lib/access/sessions'
import { setBanned } from '@/lib/access/set-banned'
import { mintOwnToken, revokeToken } from '@/lib/access/tokens'
import { assertWritesEnabled, setKillSwitch } from '@/lib/actions/kill-switch'
import { proposeRoleRaise } from '@/lib/actions/role-raise'
import { AppError } from '@/lib/core/errors'
import { isHigherRole, ROLES } from '@/lib/core/permissions'
import { publicUrl } from '@/lib/env'
import { setTraceLink } from '@/lib/telemetry/trace-link'

const once = actionsShownOn(['/settings'])
const id = z.string().max(64)
const roleSchema = z.enum(ROLES)

/** Works while writes are off: it is what switches them on again. */
export const switchWrites = async (off: boolean, input: ActionInput): Promise<Attempted<unknown>> =>
  attemptOnce(
    'kill_switch.set',
    input.requestId,
    async (ctx) => {
      await setKillSwitch(ctx, { on: off, reason: input.reason })
      revalidatePath('/', 'layout')
      return null
    },
    CONTAINS,
  )

/** Less holds at once, whether or not writes are on; more waits for a second administrator. */
export const changeRole = async (userId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once(
    'user.set_role',
    input,
    async (ctx) => {
      const change = {
        userId: id.parse(userId),
        role: roleSchema.parse(input.fields.role),
        reason: input.reason,
      }
      const user = await ctx.db.prisma.user.findUnique({ where: { id: change.userId } })
      if (user === null || !isHigherRole(change.role, roleSchema.parse(user.role)))
        return lowerRole(ctx, change)
      await assertWritesEnabled(ctx.db)
      return proposeRoleRaise(ctx, change)
    },
    CONTAINS,
  )

export const lockOut = async (userId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once(
    'user.lock_out',
    input,
    (ctx) => setBanned(ctx, { userId, banned: true, reason: input.reason }),
    CONTAINS,
  )

export const letIn = async (userId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once('user.let_in', input, (ctx) => setBanned(ctx, { userId, banned: false, reason: input.reason }))

export const rename = async (userId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once('user.rename', input, (ctx) =>
    renameUser(ctx, { userId, name: input.fields.name ?? '', reason: input.reason }),
  )

export const confirm = async (userId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once('user.confirm', input, (ctx) =>
    confirmAccount(ctx, { userId, code: input.fields.code ?? '', reason: input.reason }),
  )

export const withdrawLink = async (userId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once(
    'user.withdraw_invitation',
    input,
    (ctx) => withdrawInvitation(ctx, { userId, reason: input.reason }),
    CONTAINS,
  )

export type Link = { email: string; url: string; expiresAt: string; note: string | null }

const linkOf = ({ email, secret, expiresAt }: Invited, note: string | null = null): Link => ({
  email,
  url: new URL(invitationPath(secret), publicUrl(services().settings)).href,
  expiresAt,
  note,
})

/** The fields of a form on the page, by their names. */
type Fields = Record<string, string>

/** Not kept for a second asking: the link is told once and stored nowhere. A second try finds the email taken. */
export const inviteUser = async (fields: Fields, reason: string): Promise<Attempted<Link>> =>
  attempt(async (ctx) => {
    await assertWritesEnabled(ctx.db)
    const { email = '', name = '' } = fields
    const role = roleSchema.parse(fields.role)
    const invited = await invite(ctx, { email, name, reason })
    revalidatePath('/settings')
    if (role === 'viewer') return linkOf(invited)
    const raise = { userId: invited.userId, role, reason }
    const note = await proposeRoleRaise(ctx, raise).then(
      () => `The account is a viewer until a second administrator approves ${role}.`,
      (error: unknown) => {
        if (error instanceof AppError) return `The account is a viewer: ${error.message}`
        throw error
      },
    )
    return linkOf(invited, note)
  })

/** Not kept either. A second try makes another link, and the first one is void. */
export const newLink = async (userId: string, reason: string): Promise<Attempted<Link>> =>
  attempt(async (ctx) => {
    await assertWritesEnabled(ctx.db)
    const invited = await inviteAgain(ctx, { userId, reason })
    revalidatePath('/settings')
    return linkOf(invited)
  })

export const revoke = async (tokenId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once('token.revoke', input, (ctx) => revokeToken(ctx, id.parse(tokenId)), CONTAINS)

/** Not kept for a second asking, as the other acts are: the token is told once and stored nowhere. */
export const mint = async ({ name = '', days }: Fields): Promise<Attempted<{ token: string }>> =>
  attempt(async (ctx) => {
    await assertWritesEnabled(ctx.db)
    const asked = { name, days: Number(days), sessionId: await ownSessionId() }
    const { token } = await mintOwnToken(ctx, asked)
    revalidatePath('/settings')
    return { token }
  })

/** Works while writes are off, as all that shuts a stranger out. */
export const changePassword = async ({ current = '', next = '' }: Fields): Promise<Attempted<null>> =>
  attempt(async (ctx) => {
    await changeOwnPassword(ctx, { sessionId: await ownSessionId(), current, next })
    revalidatePath('/settings')
    return null
  })

export const endSession = async (sessionId: string, input: ActionInput): Promise<Attempted<unknown>> =>
  once('session.end', input, (ctx) => endSessions(ctx, { id: id.parse(sessionId) }), CONTAINS)

export const endOtherSessions = async (input: ActionInput): Promise<Attempted<unknown>> =>
  once(
    'session.end_others',
    input,
    async (ctx) => endSessions(ctx, { allBut: await ownSessionId() }),
    CONTAINS,
  )

async function ownSessionId(): Promise<string> {
  const session = await readSession(services().auth, await headers())
  if (session === null) throw new AppError('unauthenticated', 'Your session has ended: sign in again.')
  return session.sessionId
}

export const saveTraceLink = async (input: ActionInput): Promise<Attempted<unknown>> =>
  once('setting.trace_link', input, (ctx) =>
    setTraceLink(ctx, { template: input.fields.template ?? '', reason: input.reason }),
  )

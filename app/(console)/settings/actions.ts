'use server'

import { revalidatePath } from 'next/cache'
import { headers } from 'next/headers'
import { z } from 'zod'
import { type Attempted, attempt, attemptChange } from '@/app/_server/attempt'
import { CONTAINS } from '@/app/_server/attempt-once'
import { dialogActions } from '@/app/_server/dialog-actions'
import { services } from '@/app/_server/services'
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
import { endOpenRequests } from '@/lib/actions/end-open-requests'
import { assertWritesEnabled, setKillSwitch } from '@/lib/actions/kill-switch'
import { proposeRoleRaise } from '@/lib/actions/role-raise'
import { AppError } from '@/lib/core/errors'
import { isHigherRole, ROLES } from '@/lib/core/permissions'
import { publicUrl } from '@/lib/env'
import { setTraceLink } from '@/lib/telemetry/trace-link'

const { action, actionOn } = dialogActions(['/settings'])
/** The bar of every page says whether writes are on. */
const everywhere = dialogActions(['/', 'layout'])
const roleSchema = z.enum(ROLES)

/** Works while writes are off, as the other one does: it is what switches them on again. */
export const switchWritesOn = everywhere.action(
  'kill_switch.set',
  (ctx, { reason }) => setKillSwitch(ctx, { on: false, reason }),
  CONTAINS,
)
export const switchWritesOff = everywhere.action(
  'kill_switch.set',
  (ctx, { reason }) => setKillSwitch(ctx, { on: true, reason }),
  CONTAINS,
)

/** Less holds at once, whether or not writes are on; more waits for a second administrator. */
export const changeRole = actionOn(
  'user.set_role',
  async (ctx, userId, { reason, fields }) => {
    const change = { userId, role: roleSchema.parse(fields.role), reason }
    const user = await ctx.db.prisma.user.findUnique({ where: { id: userId } })
    if (user === null || !isHigherRole(change.role, roleSchema.parse(user.role)))
      return lowerRole(ctx, change)
    await assertWritesEnabled(ctx.db)
    return proposeRoleRaise(ctx, change)
  },
  CONTAINS,
)

export const lockOut = actionOn(
  'user.lock_out',
  (ctx, userId, { reason }) => setBanned(ctx, { userId, banned: true, reason }),
  CONTAINS,
)

export const letIn = actionOn('user.let_in', (ctx, userId, { reason }) =>
  setBanned(ctx, { userId, banned: false, reason }),
)

export const rename = actionOn('user.rename', (ctx, userId, { reason, fields: { name = '' } }) =>
  renameUser(ctx, { userId, name, reason }),
)

export const confirm = actionOn('user.confirm', (ctx, userId, { reason, fields: { code = '' } }) =>
  confirmAccount(ctx, { userId, code, reason }),
)

export const withdrawLink = actionOn(
  'user.withdraw_invitation',
  (ctx, userId, { reason }) => withdrawInvitation(ctx, { userId, reason }),
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
  attemptChange(async (ctx) => {
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
  attemptChange(async (ctx) => {
    const invited = await inviteAgain(ctx, { userId, reason })
    revalidatePath('/settings')
    return linkOf(invited)
  })

export const revoke = actionOn('token.revoke', revokeToken, CONTAINS)

/** Not kept for a second asking, as the other acts are: the token is told once and stored nowhere. */
export const mint = async ({ name = '', days }: Fields): Promise<Attempted<{ token: string }>> =>
  attemptChange(async (ctx) => {
    const asked = { name, days: Number(days), sessionId: await ownSessionId() }
    const { token } = await mintOwnToken(ctx, asked)
    revalidatePath('/settings')
    return { token }
  })

/** Works while writes are off, as all that shuts a stranger out. */
export const changePassword = async ({ current = '', next = '' }: Fields): Promise<Attempted<null>> =>
  attempt(async (ctx) => {
    const asked = { sessionId: await ownSessionId(), current, next }
    await changeOwnPassword({ ...ctx, endOpenRequests }, asked)
    revalidatePath('/settings')
    return null
  })

export const endSession = actionOn('session.end', (ctx, id) => endSessions(ctx, { id }), CONTAINS)

export const endOtherSessions = action(
  'session.end_others',
  async (ctx) => endSessions(ctx, { allBut: await ownSessionId() }),
  CONTAINS,
)

async function ownSessionId(): Promise<string> {
  const session = await readSession(services().auth, await headers())
  if (session === null) throw new AppError('unauthenticated', 'Your session has ended: sign in again.')
  return session.sessionId
}

export const saveTraceLink = action('setting.trace_link', (ctx, { reason, fields: { template = '' } }) =>
  setTraceLink(ctx, { template, reason }),
)

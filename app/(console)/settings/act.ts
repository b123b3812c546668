'use server'

import { revalidatePath } from 'next/cache'
import { z } from 'zod'
import { actsShownOn } from '@/app/_server/acts-shown-on'
import { type Attempted, attempt } from '@/app/_server/attempt'
import { attemptOnce } from '@/app/_server/attempt-once'
import type { ActInput } from '@/app/_ui/act-dialog'
import { addUser } from '@/lib/access/add-user'
import { setBanned } from '@/lib/access/set-banned'
import { mintOwnToken, revokeToken } from '@/lib/access/tokens'
import { setRole } from '@/lib/access/users'
import { assertWritesEnabled, setKillSwitch } from '@/lib/actions/kill-switch'
import { ROLES } from '@/lib/core/permissions'
import { reasonSchema } from '@/lib/core/reason'
import { setTraceLink } from '@/lib/telemetry/trace-link'

const once = actsShownOn(['/settings'])

/** Works while writes are off: it is what switches them on again. */
export const switchWrites = async (off: boolean, input: ActInput): Promise<Attempted<unknown>> =>
  attemptOnce(
    'kill_switch.set',
    input.requestId,
    async (ctx) => {
      await setKillSwitch(ctx, { on: off, reason: input.reason })
      revalidatePath('/', 'layout')
      return null
    },
    { worksWhenWritesAreOff: true },
  )

export const changeRole = async (userId: string, input: ActInput): Promise<Attempted<unknown>> =>
  once('user.set_role', input, async (ctx) => {
    const role = z.enum(ROLES).parse(input.fields.role)
    return setRole(ctx, { userId: z.string().parse(userId), role, reason: reasonSchema.parse(input.reason) })
  })

export const lockOut = async (
  userId: string,
  banned: boolean,
  input: ActInput,
): Promise<Attempted<unknown>> =>
  once('user.set_banned', input, (ctx) => setBanned(ctx, { userId, banned, reason: input.reason }))

export type NewUser = { email: string; name: string; role: string; reason: string }

/** Not kept for a second asking: the password is told once and stored nowhere. A second try finds the email taken. */
export const add = async (user: NewUser): Promise<Attempted<{ email: string; password: string }>> =>
  attempt(async (ctx) => {
    await assertWritesEnabled(ctx.db)
    const { email, password } = await addUser(ctx, { ...user, role: z.enum(ROLES).parse(user.role) })
    revalidatePath('/settings')
    return { email, password }
  })

export const revoke = async (tokenId: string, input: ActInput): Promise<Attempted<unknown>> =>
  once('token.revoke', input, async (ctx) => revokeToken(ctx, z.string().parse(tokenId)))

/** Not kept for a second asking, as the other acts are: the token is told once and stored nowhere. */
export const mint = async (name: string): Promise<Attempted<{ token: string }>> =>
  attempt(async (ctx) => {
    await assertWritesEnabled(ctx.db)
    const { token } = await mintOwnToken(ctx, { name: z.string().parse(name) })
    revalidatePath('/settings')
    return { token }
  })

export const saveTraceLink = async (input: ActInput): Promise<Attempted<unknown>> =>
  once('setting.trace_link', input, (ctx) =>
    setTraceLink(ctx, { template: input.fields.template ?? '', reason: input.reason }),
  )

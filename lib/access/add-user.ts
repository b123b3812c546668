import { randomBytes } from 'node:crypto'
import { hashPassword } from 'better-auth/crypto'
import { z } from 'zod'
import type { Context } from '@/lib/context'
import { authorise } from '@/lib/core/authorise'
import { AppError } from '@/lib/core/errors'
import { ROLES } from '@/lib/core/permissions'
import { reasonSchema } from '@/lib/core/reason'
import { createUser } from './users'

const inputSchema = z.object({
  email: z
    .email()
    .max(200)
    .transform((email) => email.toLowerCase()),
  name: z.string().trim().min(1, 'a name').max(60),
  role: z.enum(ROLES),
  reason: reasonSchema,
})

/**
 * Makes a user who can sign in. The password is generated, and told only here: it is kept as a hash. Throws `conflict` when
 * the email is taken.
 */
export async function addUser(
  ctx: Context,
  raw: z.input<typeof inputSchema>,
): Promise<{ userId: string; email: string; password: string }> {
  authorise(ctx, 'user.manage')
  const input = inputSchema.parse(raw)
  const password = randomBytes(18).toString('base64url')
  const hashed = await hashPassword(password)
  return ctx.db.prisma.$transaction(async (tx) => {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtextextended('idemscope.users', 0))`
    const taken = await tx.user.findUnique({ where: { email: input.email }, select: { id: true } })
    if (taken !== null) throw new AppError('conflict', `There is a user ${input.email} already.`)
    return { userId: await createUser(tx, ctx, input, hashed), email: input.email, password }
  })
}

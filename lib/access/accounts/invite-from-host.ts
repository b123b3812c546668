import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { ROLES } from '@/lib/core/permissions'
import type { Db, Tx } from '@/lib/db'
import { createUser } from '../users'
import { createInvitation, type Invited } from './invitation'
import { emailSchema, personOf } from './invite'
import { assertNameFree, lockUsers, personNameSchema } from './names'

const inputSchema = z.object({
  email: emailSchema,
  /** Of a new account. */
  name: personNameSchema.optional(),
  role: z.enum(ROLES).optional(),
})

/**
 * For a person with access to the host, and so to everything: the second administrator, a forgotten password of the only one. A
 * new account, or another link for one that there is; with a role it has that role at once. Audited.
 */
export async function inviteFromHost(
  db: Db,
  clock: Clock,
  raw: z.input<typeof inputSchema>,
): Promise<Invited> {
  const input = inputSchema.parse(raw)
  const ctx = { actor: { kind: 'system', job: 'host' } as const, clock, requestId: `host:${randomUUID()}` }
  return db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const existing = await tx.user.findUnique({ where: { email: input.email } })
    const id =
      existing === null ? await create(tx, ctx, input) : await renew(tx, ctx, existing.id, input.role)
    return createInvitation(tx, ctx, { id, email: input.email })
  })
}

type Host = Pick<Context, 'actor' | 'clock' | 'requestId'>

async function create(
  tx: Tx,
  ctx: Host,
  { email, name, role }: z.infer<typeof inputSchema>,
): Promise<string> {
  if (name === undefined || role === undefined)
    throw new AppError('invalid', `There is no user ${email}: give a name and a role to make one.`)
  await assertNameFree(tx, name)
  return createUser(tx, ctx, { email, name, role }, null)
}

async function renew(tx: Tx, ctx: Host, userId: string, role: string | undefined): Promise<string> {
  const user = await personOf(tx, userId)
  if (user.banned)
    throw new AppError('unprocessable', `${user.name} is locked out: an administrator lets them in.`)
  const entry = { subject: userId, outcome: 'done' }
  await tx.auditEntry.create({ data: auditRow(ctx, { ...entry, verb: 'user.invite_again' }) })
  if (role === undefined || role === user.role) return userId
  await tx.user.update({ where: { id: userId }, data: { role, updatedAt: ctx.clock.now() } })
  const change = { before: { role: user.role }, after: { role } }
  await tx.auditEntry.create({ data: auditRow(ctx, { ...entry, ...change, verb: 'user.set_role' }) })
  return userId
}

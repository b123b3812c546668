import { z } from 'zod'
import type { Actor } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { newId } from '@/lib/core/ids'
import { ROLES } from '@/lib/core/permissions'
import type { Db, Tx } from '@/lib/db'
import { hashPassword, passwordSchema } from '../sign-in/hashing'
import { type EndOpenRequests, endWhatWasMade, replaceCredentials } from './credentials'
import { hashSecret } from './invitation'
import { lockUsers } from './names'

const secretSchema = z.string().max(100)
const inputSchema = z.object({ secret: secretSchema, password: passwordSchema })

export type OpenInvitation = { email: string; name: string; inviter: string | null; expiresAt: string }

/** Whose account a link opens, and who made it (null = the host's command line). Throws `not_found`. */
export async function readInvitation(db: Db, clock: Clock, secret: string): Promise<OpenInvitation> {
  const { user, inviter, expiresAt } = await findOpen(db.prisma, clock, secret)
  return {
    email: user.email,
    name: user.name,
    inviter: inviter?.name ?? null,
    expiresAt: expiresAt.toISOString(),
  }
}

/** The person's own password, by the link, once: of two at the same time one is refused. Returns who can sign in now. */
export async function acceptInvitation(
  { db, clock, endOpenRequests }: { db: Db; clock: Clock; endOpenRequests: EndOpenRequests },
  raw: z.input<typeof inputSchema>,
): Promise<{ email: string }> {
  const { secret, password } = inputSchema.parse(raw)
  // Nobody has a password hashed who holds no link.
  await findOpen(db.prisma, clock, secret)
  const hashedPassword = await hashPassword(password)
  return db.prisma.$transaction(async (tx) => {
    // Not while somebody confirms the account by the code that this replaces.
    await lockUsers(tx)
    const { id, user, invitedBy } = await findOpen(tx, clock, secret)
    const now = clock.now()
    const used = await tx.invitation.updateMany({ where: { id, endedAt: null }, data: { endedAt: now } })
    if (used.count === 0) throw gone()
    // A person with access to the host has everything: its link ends what others held.
    if (invitedBy === null)
      await tx.principalLink.updateMany({ where: { principalId: user.id }, data: { holds: false } })
    const role = z.enum(ROLES).parse(user.role)
    const actor: Actor = { kind: 'user', userId: user.id, name: user.name, role, via: 'session' }
    const ctx = { actor, clock, requestId: newId('req'), endOpenRequests }
    await replaceCredentials(tx, ctx, user, { hashedPassword, now })
    await endWhatWasMade(tx, ctx, user.id)
    const entry = { verb: 'user.accept_invitation', subject: user.id, outcome: 'done' }
    await tx.auditEntry.create({
      data: { ...auditRow(ctx, entry), via: 'invitation' },
    })
    return { email: user.email }
  })
}

async function findOpen(prisma: Pick<Tx, 'invitation'>, clock: Clock, secret: string) {
  const found = await prisma.invitation.findUnique({
    where: { secretHash: hashSecret(secretSchema.parse(secret)) },
    include: { user: true, inviter: { select: { name: true } } },
  })
  if (found === null || found.endedAt !== null || found.expiresAt <= clock.now() || found.user.banned)
    throw gone()
  return found
}

const gone = () =>
  new AppError(
    'not_found',
    'This invitation is not valid any more: it was used, replaced or withdrawn, or it has ended. Ask an administrator for another.',
  )

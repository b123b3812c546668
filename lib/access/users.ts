import { randomBytes, randomUUID } from 'node:crypto'
import type { Context } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import type { Clock } from '@/lib/core/clock'
import type { Role } from '@/lib/core/permissions'
import type { Db, Tx } from '@/lib/db'
import { lockUsers } from './accounts/names'
import { hashPassword } from './sign-in/hashing'

const USERS_MAX = 500

export type EnsureUser = { email: string; name: string; role: Role; password: string }

/** Who makes the first users: the start of the console itself. */
const SETUP: Actor = { kind: 'system', job: 'setup' }

/** Makes a user who can sign in, unless the email is taken: an existing one stays as it is. Audited. */
export async function ensureUser(
  db: Db,
  clock: Clock,
  input: EnsureUser,
): Promise<{ userId: string; created: boolean }> {
  const email = input.email.trim().toLowerCase()
  const password = await hashPassword(input.password)
  return db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const existing = await tx.user.findUnique({ where: { email } })
    if (existing !== null) return { userId: existing.id, created: false }
    return { userId: await createUser(tx, setupContext(clock), { ...input, email }, password), created: true }
  })
}

/**
 * The first admin, at the first start: null when there is an admin already. The password is generated, and told only
 * here: print it once.
 */
export async function ensureFirstAdmin(
  db: Db,
  clock: Clock,
  input: { email: string },
): Promise<{ email: string; password: string } | null> {
  const password = randomBytes(18).toString('base64url')
  const hashed = await hashPassword(password)
  const email = input.email.trim().toLowerCase()
  return db.prisma.$transaction(async (tx) => {
    await lockUsers(tx)
    const admins = await tx.user.count({ where: { OR: [{ role: 'admin' }, { email }] } })
    if (admins > 0) return null
    await createUser(tx, setupContext(clock), { email, name: 'Administrator', role: 'admin' }, hashed)
    return { email, password }
  })
}

const setupContext = (clock: Clock) => ({ actor: SETUP, clock, requestId: `setup:${randomUUID()}` })

/** Writes the user and its audit entry; the caller holds the lock on users and knows that email and name are free. */
export async function createUser(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock' | 'requestId'>,
  user: { email: string; name: string; role: Role; reason?: string },
  /** Null = its person sets one by invitation. */
  hashedPassword: string | null,
): Promise<string> {
  const now = ctx.clock.now()
  const id = randomUUID()
  const stamps = { createdAt: now, updatedAt: now }
  const credential = { id: randomUUID(), accountId: id, providerId: 'credential', ...stamps }
  await tx.user.create({
    data: {
      id,
      email: user.email,
      name: user.name,
      role: user.role,
      emailVerified: true,
      ...stamps,
      ...(hashedPassword === null
        ? {}
        : { accounts: { create: { ...credential, password: hashedPassword } } }),
    },
  })
  const after = { email: user.email, name: user.name, role: user.role }
  await tx.auditEntry.create({
    data: auditRow(ctx, { verb: 'user.create', subject: id, outcome: 'done', reason: user.reason, after }),
  })
  return id
}

export async function listUsers(db: Db) {
  const rows = await db.prisma.user.findMany({
    orderBy: [{ service: 'asc' }, { email: 'asc' }],
    take: USERS_MAX,
  })
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    email: row.email,
    role: row.role as Role,
    service: row.service,
    banned: row.banned,
    createdAt: row.createdAt.toISOString(),
  }))
}

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Context } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { ROLES, type Role } from '@/lib/core/permissions'
import type { Db, Tx } from '@/lib/db'

const PREFIX = 'idemscope_'
const TOKEN_BYTES = 32
/** A revoked token, or a changed role, is noticed after this. */
const CACHE_MS = 10_000
const CACHE_ENTRIES_MAX = 10_000
const START_CHARACTERS = PREFIX.length + 4
const TOKENS_OF_A_USER_MAX = 50

const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[\p{L}\p{N} ._-]+$/u, 'letters, digits, space and ._-')
const serviceRoleSchema = z.enum(['viewer', 'operator'], {
  error: 'a token from here is a viewer or an operator: approving needs a person, who signs in',
})

/** How better-auth's API keys are hashed: sha256, base64url without padding. The table is theirs. */
const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

export type MintedToken = { token: string; tokenId: string; userId: string }

/** A service user with one token. It cannot sign in, and never approves. The token is told only here. */
export async function mintToken(
  db: Db,
  clock: Clock,
  raw: { role: string; name: string },
): Promise<MintedToken> {
  const input = parseMint(raw)
  const now = clock.now()
  return db.prisma.$transaction(async (tx) => {
    const userId = randomUUID()
    await tx.user.create({
      data: {
        id: userId,
        name: input.name,
        email: `${userId}@service.idemscope.invalid`,
        role: input.role,
        service: true,
        createdAt: now,
        updatedAt: now,
      },
    })
    const ctx = { actor: { kind: 'system', job: 'token' } as const, clock, requestId: `token:${userId}` }
    return writeToken(tx, ctx, { userId, name: input.name, role: input.role })
  })
}

function parseMint(raw: { role: string; name: string }) {
  const parsed = z.object({ role: serviceRoleSchema, name: nameSchema }).safeParse(raw)
  if (parsed.success) return parsed.data
  throw new AppError(
    'invalid',
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  )
}

/** A signed-in person's own token: it may do what the person may do. Needs a session, so that no token begets another. */
export async function mintOwnToken(ctx: Context, raw: { name: string }): Promise<MintedToken> {
  const { actor } = ctx
  if (actor.kind !== 'user' || actor.via !== 'session') {
    throw new AppError('forbidden', 'Sign in to make a token of your own: a token cannot make another.')
  }
  const name = nameSchema.parse(raw.name)
  return ctx.db.prisma.$transaction(async (tx) => {
    const count = await tx.apikey.count({ where: { referenceId: actor.userId, enabled: true } })
    if (count >= TOKENS_OF_A_USER_MAX)
      throw new AppError('unprocessable', `You have ${count} tokens: revoke one first.`)
    return writeToken(tx, ctx, { userId: actor.userId, name, role: actor.role })
  })
}

async function writeToken(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock' | 'requestId'>,
  owner: { userId: string; name: string; role: Role },
): Promise<MintedToken> {
  const token = `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`
  const tokenId = `tok_${randomUUID()}`
  const now = ctx.clock.now()
  await tx.apikey.create({
    data: {
      id: tokenId,
      name: owner.name,
      prefix: PREFIX,
      start: token.slice(0, START_CHARACTERS),
      key: hashToken(token),
      referenceId: owner.userId,
      createdAt: now,
      updatedAt: now,
    },
  })
  const after = { tokenId, name: owner.name, role: owner.role }
  await tx.auditEntry.create({
    data: auditRow(ctx, { verb: 'token.mint', subject: owner.userId, outcome: 'done', after }),
  })
  return { token, tokenId, userId: owner.userId }
}

/** Revokes a token: one's own, or anybody's as an admin. Idempotent. */
export async function revokeToken(ctx: Context, tokenId: string): Promise<void> {
  const { actor } = ctx
  await ctx.db.prisma.$transaction(async (tx) => {
    const row = await tx.apikey.findUnique({ where: { id: tokenId } })
    const visible =
      actor.kind === 'user' && row !== null && (actor.role === 'admin' || row.referenceId === actor.userId)
    if (!visible) throw new AppError('not_found', `There is no token ${tokenId} of yours.`)
    const revoked = await tx.apikey.updateMany({
      where: { id: tokenId, enabled: true },
      data: { enabled: false, updatedAt: ctx.clock.now() },
    })
    if (revoked.count === 0) return
    await tx.auditEntry.create({
      data: auditRow(ctx, {
        verb: 'token.revoke',
        subject: row.referenceId,
        outcome: 'done',
        before: { tokenId },
      }),
    })
  })
}

export async function listTokens(db: Db, userId: string) {
  const rows = await db.prisma.apikey.findMany({
    where: { referenceId: userId, enabled: true },
    orderBy: { createdAt: 'desc' },
    take: TOKENS_OF_A_USER_MAX,
  })
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    start: row.start,
    createdAt: row.createdAt.toISOString(),
  }))
}

type TokenActor = Extract<Actor, { via: 'token' }>

const FIND = `
  SELECT k.id, k.expires_at, u.id AS user_id, u.name, u.role
  FROM apikey k JOIN "user" u ON u.id = k.reference_id
  WHERE k.key = $1 AND k.enabled AND NOT u.banned`

const foundSchema = z.object({
  id: z.string(),
  expires_at: z.date().nullable(),
  user_id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
})

/** Verifies tokens by their hash, remembered for at most 10 s: one query a token and interval, not one a request. */
export function createTokenVerifier(db: Db, clock: Clock): (token: string) => Promise<TokenActor | null> {
  const cache = new Map<string, { until: number; actor: TokenActor | null }>()
  return async (token) => {
    if (token.length > 256) return null
    const hash = hashToken(token)
    const nowMs = clock.now().getTime()
    const known = cache.get(hash)
    if (known !== undefined && known.until > nowMs) return known.actor
    const actor = await findActor(db, hash, nowMs)
    // Guesses must not fill the memory: when full, start again.
    if (cache.size >= CACHE_ENTRIES_MAX) cache.clear()
    cache.set(hash, { until: nowMs + CACHE_MS, actor })
    return actor
  }
}

async function findActor(db: Db, hash: string, nowMs: number): Promise<TokenActor | null> {
  const { rows } = await db.pool.query(FIND, [hash])
  if (rows.length === 0) return null
  const row = foundSchema.parse(rows[0])
  if (row.expires_at !== null && row.expires_at.getTime() <= nowMs) return null
  return { kind: 'user', userId: row.user_id, name: row.name, role: row.role, via: 'token', tokenId: row.id }
}

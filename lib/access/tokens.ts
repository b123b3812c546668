import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { Context } from '@/lib/context'
import type { Actor } from '@/lib/core/actor'
import { auditRow } from '@/lib/core/audit-entry'
import type { Clock } from '@/lib/core/clock'
import { AppError } from '@/lib/core/errors'
import { isHigherRole, ROLES, type Role } from '@/lib/core/permissions'
import { principalLinks } from '@/lib/core/principal-link'
import type { Db, Tx } from '@/lib/db'
import { assertNameFree } from './accounts/names'

const PREFIX = 'idemscope_'
const TOKEN_BYTES = 32
/** A revoked token, or a changed role, is noticed after this. */
const CACHE_MS = 10_000
const CACHE_ENTRIES_MAX = 10_000
const START_CHARACTERS = PREFIX.length + 4
export const TOKENS_OF_A_USER_MAX = 50

/** A token of a person ends: by default after a quarter. */
const OWN_TOKEN_DAYS = 90
const TOKEN_DAYS_MAX = 365
const DAY_MS = 86_400_000

const daysSchema = z
  .int('whole days')
  .min(1, 'at least 1 day')
  .max(TOKEN_DAYS_MAX, `at most ${TOKEN_DAYS_MAX} days`)
const nameSchema = z
  .string()
  .trim()
  .min(1)
  .max(64)
  .regex(/^[\p{L}\p{N} ._-]+$/u, 'letters, digits, space and ._-')
const serviceRoleSchema = z.enum(['viewer', 'operator'], {
  error: 'a token from here is a viewer or an operator: approving needs a person, who signs in',
})
const serviceSchema = z.object({
  role: serviceRoleSchema,
  name: nameSchema,
  /** The person who answers for it: they count as it, and it may never do more than they may. */
  owner: z.email('an email address').toLowerCase().optional(),
  days: daysSchema.default(TOKEN_DAYS_MAX),
})

/** How better-auth's API keys are hashed: sha256, base64url without padding. The table is theirs. */
const hashToken = (token: string): string => createHash('sha256').update(token).digest('base64url')

export type MintedToken = { token: string; tokenId: string; userId: string; expiresAt: string }

/** A service user with one token. It cannot sign in, and never approves. The token is told only here. */
export async function mintToken(
  db: Db,
  clock: Clock,
  raw: { role: string; name: string; owner?: string | undefined; days?: number | undefined },
): Promise<MintedToken> {
  const input = parseMint(raw)
  const now = clock.now()
  return db.prisma.$transaction(async (tx) => {
    const userId = randomUUID()
    await assertNameFree(tx, input.name)
    const owner = input.owner === undefined ? null : await findOwner(tx, input.owner)
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
    await tx.principalLink.createMany({ data: principalLinks('minted', userId, [owner], now) })
    const ctx = { actor: { kind: 'system', job: 'token' } as const, clock, requestId: `token:${userId}` }
    return writeToken(tx, ctx, { userId, ownerId: owner, ...input })
  })
}

async function findOwner(tx: Tx, email: string): Promise<string> {
  const user = await tx.user.findUnique({ where: { email } })
  if (user === null || user.service) throw new AppError('invalid', `owner: there is no person ${email}`)
  return user.id
}

function parseMint(raw: Parameters<typeof mintToken>[2]) {
  const parsed = serviceSchema.safeParse(raw)
  if (parsed.success) return parsed.data
  throw new AppError(
    'invalid',
    parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '),
  )
}

const ownSchema = z.object({
  name: nameSchema,
  days: daysSchema.default(OWN_TOKEN_DAYS),
  /** Of the session that asks, so that none is made once it has ended. */
  sessionId: z.string().optional(),
})

/** A signed-in person's own token: it may do what the person may do. Needs a session, so that no token begets another. */
export async function mintOwnToken(ctx: Context, raw: z.input<typeof ownSchema>): Promise<MintedToken> {
  const { actor } = ctx
  if (actor.kind !== 'user' || actor.via !== 'session') {
    throw new AppError('forbidden', 'Sign in to make a token of your own: a token cannot make another.')
  }
  const { name, days, sessionId } = ownSchema.parse(raw)
  return ctx.db.prisma.$transaction(async (tx) => {
    if (sessionId !== undefined) await assertSessionLives(tx, { id: sessionId, userId: actor.userId })
    const count = await tx.apikey.count({ where: { referenceId: actor.userId, enabled: true } })
    if (count >= TOKENS_OF_A_USER_MAX)
      throw new AppError('unprocessable', `You have ${count} tokens: revoke one first.`)
    return writeToken(tx, ctx, { userId: actor.userId, name, role: actor.role, days })
  })
}

/** Whoever replaces the password ends sessions and tokens: that is waited for, or finds the token that is made now. */
async function assertSessionLives(tx: Tx, session: { id: string; userId: string }): Promise<void> {
  await tx.$queryRaw`SELECT id FROM account WHERE user_id = ${session.userId} FOR SHARE`
  if ((await tx.session.count({ where: session })) === 0)
    throw new AppError('forbidden', 'This session has ended: sign in again to make a token.')
}

async function writeToken(
  tx: Tx,
  ctx: Pick<Context, 'actor' | 'clock' | 'requestId'>,
  given: { userId: string; name: string; role: Role; days: number; ownerId?: string | null },
): Promise<MintedToken> {
  const token = `${PREFIX}${randomBytes(TOKEN_BYTES).toString('base64url')}`
  const tokenId = `tok_${randomUUID()}`
  const now = ctx.clock.now()
  const expiresAt = new Date(now.getTime() + given.days * DAY_MS)
  await tx.apikey.create({
    data: {
      id: tokenId,
      name: given.name,
      prefix: PREFIX,
      start: token.slice(0, START_CHARACTERS),
      key: hashToken(token),
      referenceId: given.userId,
      expiresAt,
      createdAt: now,
      updatedAt: now,
    },
  })
  const { name, role, ownerId } = given
  const after = { tokenId, name, role, expiresAt, ...(ownerId === undefined ? {} : { ownerId }) }
  await tx.auditEntry.create({
    data: auditRow(ctx, { verb: 'token.mint', subject: given.userId, outcome: 'done', after }),
  })
  return { token, tokenId, userId: given.userId, expiresAt: expiresAt.toISOString() }
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

type TokenActor = Extract<Actor, { via: 'token' }>

/** A service's token may do no more than its owner may: nothing, once they are locked out. */
const find = (by: 'key' | 'id') => `
  SELECT k.id, k.expires_at, u.id AS user_id, u.name, u.role, array_agg(o.role) FILTER (WHERE o.id IS NOT NULL) AS owner_roles
  FROM apikey k JOIN "user" u ON u.id = k.reference_id
  LEFT JOIN principal_link l ON l.principal_id = u.id AND l.how = 'minted'
  LEFT JOIN "user" o ON o.id = l.by_id
  WHERE k.${by} = $1 AND k.enabled AND NOT u.banned
  GROUP BY k.id, u.id
  HAVING NOT coalesce(bool_or(o.banned), false)`

const foundSchema = z.object({
  id: z.string(),
  expires_at: z.date().nullable(),
  user_id: z.string(),
  name: z.string(),
  role: z.enum(ROLES),
  owner_roles: z.array(z.enum(ROLES)).nullable(),
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
    const { actor, endsAtMs } = await findActor(db, { by: 'key', value: hash }, nowMs)
    // Guesses must not fill the memory: when full, start again.
    if (cache.size >= CACHE_ENTRIES_MAX) cache.clear()
    cache.set(hash, { until: Math.min(nowMs + CACHE_MS, endsAtMs), actor })
    return actor
  }
}

/** Who acts by a token now, by its id: null = it was revoked or has ended, or its user, or owner, was locked out. */
export const findTokenActor = async (db: Db, tokenId: string, now: Date): Promise<TokenActor | null> =>
  (await findActor(db, { by: 'id', value: tokenId }, now.getTime())).actor

async function findActor(
  db: Db,
  { by, value }: { by: 'key' | 'id'; value: string },
  nowMs: number,
): Promise<{ actor: TokenActor | null; endsAtMs: number }> {
  const nobody = { actor: null, endsAtMs: Number.POSITIVE_INFINITY }
  const { rows } = await db.pool.query(find(by), [value])
  if (rows.length === 0) return nobody
  const row = foundSchema.parse(rows[0])
  const endsAtMs = row.expires_at?.getTime() ?? Number.POSITIVE_INFINITY
  if (endsAtMs <= nowMs) return nobody
  const role = (row.owner_roles ?? []).reduce(
    (least, each) => (isHigherRole(least, each) ? each : least),
    row.role,
  )
  const actor = {
    kind: 'user',
    userId: row.user_id,
    name: row.name,
    role,
    via: 'token',
    tokenId: row.id,
  } as const
  return { actor, endsAtMs }
}

import type { Role } from '@/lib/core/permissions'
import type { Db } from '@/lib/db'
import { TOKENS_OF_A_USER_MAX } from './tokens'

/** From then on its owner is warned. */
const ENDS_SOON_MS = 14 * 86_400_000

export async function listTokens(db: Db, userId: string, now: Date) {
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
    expiresAt: row.expiresAt?.toISOString() ?? null,
    standing: standingOf(row.expiresAt, now),
  }))
}

/** `ending` = its owner is warned. */
function standingOf(expiresAt: Date | null, now: Date): 'good' | 'ending' | 'ended' {
  if (expiresAt === null) return 'good'
  if (expiresAt <= now) return 'ended'
  return expiresAt.getTime() - now.getTime() <= ENDS_SOON_MS ? 'ending' : 'good'
}

/** Tokens that end within 14 days: a person's own, and for an admin those of services. The next one first. */
export async function listEndingTokens(db: Db, person: { userId: string; role: Role }, now: Date) {
  const owners = [
    { id: person.userId },
    ...(person.role === 'admin' ? [{ service: true, banned: false }] : []),
  ]
  const users = await db.prisma.user.findMany({ where: { OR: owners }, select: { id: true } })
  const rows = await db.prisma.apikey.findMany({
    where: {
      enabled: true,
      referenceId: { in: users.map(({ id }) => id) },
      expiresAt: { gt: now, lte: new Date(now.getTime() + ENDS_SOON_MS) },
    },
    orderBy: { expiresAt: 'asc' },
    take: TOKENS_OF_A_USER_MAX,
  })
  return rows.map(({ name, expiresAt }) => ({ name: name ?? '', expiresAt: expiresAt?.toISOString() ?? '' }))
}

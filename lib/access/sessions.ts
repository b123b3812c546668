import type { Context } from '@/lib/context'
import { auditRow } from '@/lib/core/audit-entry'
import { AppError } from '@/lib/core/errors'
import type { Db } from '@/lib/db'

const SESSIONS_SHOWN = 50

/** A person's sessions that have not ended: the one that asks, then the latest used, and how many there are. */
export async function listSessions(db: Db, { userId, ownId }: { userId: string; ownId: string }, now: Date) {
  const where = { userId, expiresAt: { gt: now } }
  const [own, others, total] = await Promise.all([
    db.prisma.session.findMany({ where: { ...where, id: ownId } }),
    db.prisma.session.findMany({
      where: { ...where, id: { not: ownId } },
      orderBy: { updatedAt: 'desc' },
      take: SESSIONS_SHOWN,
    }),
    db.prisma.session.count({ where }),
  ])
  const items = [...own, ...others].map((row) => ({
    id: row.id,
    device: deviceName(row.userAgent),
    createdAt: row.createdAt.toISOString(),
    usedAt: row.updatedAt.toISOString(),
  }))
  return { items, total }
}

/** Ends sessions of one's own: one, or all but the one that asks. Idempotent. Returns how many. */
export async function endSessions(ctx: Context, which: { id: string } | { allBut: string }): Promise<number> {
  const { actor } = ctx
  if (actor.kind !== 'user') throw new AppError('forbidden', 'Only a person has sessions.')
  return ctx.db.prisma.$transaction(async (tx) => {
    const { count } = await tx.session.deleteMany({
      where: { userId: actor.userId, id: 'id' in which ? which.id : { not: which.allBut } },
    })
    if (count > 0) {
      const entry = {
        verb: 'session.end',
        subject: actor.userId,
        outcome: 'done',
        after: { sessions: count },
      }
      await tx.auditEntry.create({ data: auditRow(ctx, entry) })
    }
    return count
  })
}

/** Firefox on Linux; what a browser says of itself is long. */
function deviceName(userAgent: string | null): string {
  if (userAgent === null) return 'Unknown device'
  const browser =
    /(Firefox|Edg|OPR|Chrome|Safari)\//.exec(userAgent)?.[1] ?? userAgent.split(/[ /]/, 1)[0] ?? ''
  const system = /(Windows|Mac OS X|Android|iPhone|iPad|Linux)/.exec(userAgent)?.[1]
  return [NAMES[browser] ?? browser, system].filter(Boolean).join(' on ')
}

const NAMES: Record<string, string> = { Edg: 'Edge', OPR: 'Opera' }

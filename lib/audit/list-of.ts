import type { Db } from '@/lib/db'

export type AuditLine = {
  id: string
  at: string
  actor: string
  verb: string
  outcome: string
  reason: string | null
  subject: string
}

/** What was done to any of these, newest first. */
export async function listAuditOf(db: Db, subjects: readonly string[], limit: number): Promise<AuditLine[]> {
  if (subjects.length === 0) return []
  const rows = await db.prisma.auditEntry.findMany({
    where: { subject: { in: [...subjects] } },
    orderBy: { id: 'desc' },
    take: limit,
    omit: { before: true, after: true },
  })
  return rows.map(({ id, at, actor, verb, outcome, reason, subject }) => ({
    id: `aud_${id}`,
    at: at.toISOString(),
    actor,
    verb,
    outcome,
    reason,
    subject,
  }))
}

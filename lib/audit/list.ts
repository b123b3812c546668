import { z } from 'zod'
import { toJsonValue } from '@/lib/core/json-value'
import { decodeCursor, type Page, type PageInput, toPage } from '@/lib/core/pages'
import type { Db } from '@/lib/db'
import type { AuditEntry, AuditSeal } from '@/prisma/generated/client'

export type AuditFilter = {
  verb?: string | undefined
  subject?: string | undefined
  actorId?: string | undefined
  outcome?: string | undefined
  /** Part of a subject, a reason or an actor's name. Give a window with it. */
  text?: string | undefined
  from?: Date | undefined
  to?: Date | undefined
}

export type AuditView = ReturnType<typeof auditView>

export function auditView(row: AuditEntry & { seal: AuditSeal | null }) {
  return {
    id: `aud_${row.id}`,
    at: row.at.toISOString(),
    actor: row.actor,
    actorId: row.actorId,
    via: row.via,
    verb: row.verb,
    subject: row.subject,
    outcome: row.outcome,
    reason: row.reason,
    before: row.before === null ? null : toJsonValue(row.before),
    after: row.after === null ? null : toJsonValue(row.after),
    requestId: row.requestId,
    seal:
      row.seal === null
        ? null
        : { seq: row.seal.seq.toString(), hash: Buffer.from(row.seal.hash).toString('hex') },
  }
}

const cursorShape = z.tuple([z.string().regex(/^\d{1,19}$/)])

/** Newest first, by the order in which entries were written. */
export async function listAudit(db: Db, filter: AuditFilter, page: PageInput): Promise<Page<AuditView>> {
  const after = page.cursor === undefined ? undefined : decodeCursor(page.cursor, cursorShape)
  const rows = await db.prisma.auditEntry.findMany({
    where: {
      ...(filter.verb === undefined ? {} : { verb: filter.verb }),
      ...(filter.subject === undefined ? {} : { subject: filter.subject }),
      ...(filter.actorId === undefined ? {} : { actorId: filter.actorId }),
      ...(filter.outcome === undefined ? {} : { outcome: filter.outcome }),
      ...(filter.text === undefined
        ? {}
        : {
            OR: [
              { subject: { contains: filter.text, mode: 'insensitive' } },
              { reason: { contains: filter.text, mode: 'insensitive' } },
              { actor: { contains: filter.text, mode: 'insensitive' } },
            ],
          }),
      ...(filter.from === undefined && filter.to === undefined
        ? {}
        : { at: { ...(filter.from ? { gte: filter.from } : {}), ...(filter.to ? { lt: filter.to } : {}) } }),
      ...(after === undefined ? {} : { id: { lt: BigInt(after[0]) } }),
    },
    include: { seal: true },
    orderBy: { id: 'desc' },
    take: page.limit + 1,
  })
  return toPage(rows.map(auditView), page.limit, (row) => [row.id.slice('aud_'.length)])
}

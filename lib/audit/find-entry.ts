import { AppError } from '@/lib/core/errors'
import type { Db } from '@/lib/db'
import { type AuditView, auditView } from './list'

/** One entry, whole. Throws `not_found`. */
export async function findEntry(db: Db, id: string): Promise<AuditView> {
  const digits = /^aud_(\d{1,19})$/.exec(id)?.[1]
  const row =
    digits === undefined
      ? null
      : await db.prisma.auditEntry.findUnique({ where: { id: BigInt(digits) }, include: { seal: true } })
  if (row === null) throw new AppError('not_found', `There is no audit entry ${id.slice(0, 40)}.`)
  return auditView(row)
}
